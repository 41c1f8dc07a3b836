// Sends requests, and shows each of them with its answer.

/** The server did not answer. */
export class NoAnswer extends Error {}

/** What the server sends; NoAnswer if the connection breaks, also in the midst of an answer. */
function answered(promise) {
  return promise.catch((error) => {
    throw new NoAnswer(error.message, { cause: error });
  });
}

/** A status code in its colour. */
export function badge(status) {
  const element = document.createElement("span");
  element.className = `status status-${status}`;
  element.textContent = status;
  return element;
}

export class RequestTable {
  #section;
  #rows;
  #count = 0;
  #unsaid = [];
  #timer;

  constructor(section) {
    this.#section = section;
    this.#rows = section.querySelector("tbody");
    section.querySelector("[name=clear]").addEventListener("click", () => this.#rows.replaceChildren());
    const whole = section.querySelector("[name=whole]");
    whole.addEventListener("change", () => section.classList.toggle("whole", whole.checked));
  }

  /**
   * A fetch() whose requests are shown as those of one person.
   *
   * @param onExchange called with what is shown, before the caller has the answer.
   */
  fetchAs(who, onExchange = () => {}) {
    return async (input, init) => {
      const request = new Request(input, init);
      const started = performance.now();
      // Without the browser's own cache: it would turn a 304 into a 200 before the page sees it.
      const response = await answered(fetch(request, { cache: "no-store" }));
      const content = await answered(response.clone().arrayBuffer());
      const exchange = {
        who,
        request,
        response,
        status: response.status,
        bytes: content.byteLength,
        milliseconds: performance.now() - started,
        queries: queriesOf(response),
      };
      this.#show(exchange);
      onExchange(exchange);
      return response;
    };
  }

  #show({ who, request, response, status, bytes, milliseconds, queries }) {
    const template = this.#section.querySelector("template");
    const row = template.content.firstElementChild.cloneNode(true);
    const path = new URL(request.url).pathname;
    this.#count += 1;
    const columns = [
      this.#count,
      who,
      `${request.method} ${path}`,
      precondition(request),
      badge(status),
      tag(response.headers.get("ETag")),
      bytes.toLocaleString("en"),
      milliseconds.toFixed(1),
      queries ?? "–",
    ];
    columns.forEach((content, index) => row.cells[index].append(content));
    this.#rows.prepend(row);
    this.#announce(`Request ${this.#count}: ${who}, ${request.method}, ${status}`);
  }

  /** Tell screen readers about new rows; about those that come together, in one message. */
  #announce(message) {
    this.#unsaid.push(message);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const count = this.#unsaid.length;
      const said = count === 1 ? message : `${count} new requests`;
      this.#section.querySelector("[role=status]").textContent = said;
      this.#unsaid = [];
    }, 500);
  }
}

/** The number of queries that the server tells in Server-Timing, if it does. */
function queriesOf(response) {
  const found = /desc="(\d+) quer/.exec(response.headers.get("Server-Timing"));
  return found ? Number(found[1]) : undefined;
}

function precondition({ headers }) {
  for (const name of ["If-Match", "If-None-Match"]) {
    if (headers.has(name)) {
      const line = document.createElement("span");
      line.append(`${name}: `, tag(headers.get(name)));
      return line;
    }
  }
  return "–";
}

/** A tag without its representation part, which is shown on demand. */
function tag(value) {
  if (!value) {
    return "–";
  }
  const code = document.createElement("code");
  const end = value.indexOf("~");
  code.title = value;
  code.textContent = end < 0 ? value : value.slice(0, end);
  if (end >= 0) {
    const rest = document.createElement("span");
    rest.className = "rest";
    rest.textContent = value.slice(end);
    code.append(rest);
  }
  return code;
}
