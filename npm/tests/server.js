// The example project, at the address in SERVER; and what its clients send.

let count = 0;

/** The address of a new user, as JSON from Django REST framework. */
export async function newUser(values = {}) {
  const name = `user-${process.pid}-${++count}`;
  const response = await fetch(`${process.env.SERVER}/api/users/`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      username: name,
      first_name: "Ada",
      last_name: "Berg",
      email: "ada@example.com",
      job_title: "Engineer",
      department: "Platform",
      employee_number: name.slice(-20),
      hired_on: "2020-01-31",
      salary_band: "B",
      leave_days: 20,
      desk: "A1",
      team_id: 1,
      office_id: 1,
      ...values,
    }),
  });
  if (response.status !== 201) throw new Error(await response.text());
  return `${process.env.SERVER}/api/users/${(await response.json()).id}/`;
}

/** What somebody else does, whatever the state. */
export async function somebodyElse(method, address, values) {
  const body = values && JSON.stringify(values);
  const headers = { "If-Match": "*", "Content-Type": "application/json" };
  const response = await fetch(address, { method, headers, body });
  if (!response.ok) throw new Error(await response.text());
}

/** The user as the server has it. */
export async function stored(address) {
  return (await fetch(address)).json();
}

/** fetch(), and a list of what it has sent and what was answered. */
export function recorder() {
  const requests = [];
  const record = async (address, request) => {
    const response = await fetch(address, request);
    const { method, headers } = request;
    requests.push({ method, status: response.status, headers, cache: request.cache });
    return response;
  };
  return { fetch: record, requests };
}
