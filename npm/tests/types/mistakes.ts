// Each line that ends with a comment is a mistake.

import { mergeFields, VersionedClient, versionedFetch } from "django-etag-versioning";

interface User {
  desk: string;
}

const client = new VersionedClient({ atempts: 3 }); // no such option
client.fetch("/users/7/", { jsn: {} }); // no such option
client.fetch(7); // no address
client.remember("/users/7/"); // no tag
client.etag("/users/7/").trim(); // there may be none
versionedFetch<User>("/users/7/", { merge: ({ base }) => base.desk }); // there may be none
versionedFetch<User>("/users/7/", { merge: ({ theirs }) => theirs.dsk }); // no such field
mergeFields({ base: {}, mine: {} }); // theirs is missing
mergeFields({ base: {}, mine: {}, theirs: {} }).conflict; // it is called conflicts
