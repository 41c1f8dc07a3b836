// Everything that the module exports, as TypeScript sees it.

import {
  mergeFields,
  VersionedClient,
  versionedFetch,
  type Conflict,
  type Merge,
  type VersionedClientOptions,
  type VersionedInit,
} from "django-etag-versioning";

interface User {
  id: number;
  desk: string;
}

const options: VersionedClientOptions = {
  fetch: globalThis.fetch,
  attempts: 3,
  size: 10,
  csrfCookie: null,
};
const client: VersionedClient = new VersionedClient(options);
new VersionedClient();

const init: VersionedInit<User> = {
  method: "PATCH",
  json: { desk: "B2" },
  headers: { "If-Match": '"1"' },
  signal: AbortSignal.timeout(1000),
  attempts: 2,
  async merge({ base, mine, theirs, response }: Conflict<User>) {
    const before: User | undefined = base;
    const status: number = response.status;
    const { merged, conflicts }: Merge<User> = mergeFields({ base, mine, theirs });
    return conflicts.includes("desk") ? undefined : { ...merged, before, status };
  },
};

export async function use(): Promise<void> {
  const response: Response = await client.fetch<User>("/users/7/", init);
  await client.fetch(new URL("https://site/users/7/"), { method: "PUT", body: new FormData() });
  await versionedFetch<User>("/users/7/", { merge: ({ theirs }) => ({ desk: theirs.desk }) });
  await versionedFetch("/users/7/", { merge: () => undefined });
  const user = (await response.json()) as User;
  client.remember("/users/7/", client.etag("/users/7/") ?? "");
  client.forget("/users/7/");
  client.forget();
  user.desk.trim();
}
