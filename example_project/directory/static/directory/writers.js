// Eight writers with the same tag, at once.
import { VersionedClient } from "../etag_versioning/versioned-fetch.js";
import { NoAnswer, badge } from "./requests.js";

const WRITERS = 8;

export class Writers {
  #section;
  #url;
  #requests;
  #running = false;

  constructor(section, url, requests) {
    this.#section = section;
    this.#url = url;
    this.#requests = requests;
    section.querySelector("button").addEventListener("click", () => this.#start());
  }

  async #start() {
    if (this.#running) {
      return;
    }
    this.#running = true;
    this.#section.querySelector("ol").replaceChildren();
    this.#say("");
    try {
      await this.#race();
    } catch (error) {
      if (!(error instanceof NoAnswer)) {
        throw error;
      }
      this.#say("The server did not answer.");
    } finally {
      this.#running = false;
    }
  }

  async #race() {
    const reader = this.#client("Reader");
    const response = await reader.fetch(this.#url);
    if (!response.ok) {
      this.#say(`There is no row to read: ${response.status}.`);
      return;
    }
    const before = await response.json();
    const etag = reader.etag(this.#url);
    const answers = await Promise.all(
      Array.from({ length: WRITERS }, async (_, index) => {
        const writer = this.#client(`Writer ${index + 1}`);
        writer.remember(this.#url, etag);
        const json = { leave_days: before.leave_days + 1 };
        return writer.fetch(this.#url, { method: "PATCH", json });
      }),
    );
    this.#section.querySelector("ol").replaceChildren(...answers.map(asItem));
    const won = answers.filter(({ ok }) => ok);
    const refused = answers.filter(({ status }) => status === 412);
    const after = won.length ? (await won[0].json()).leave_days : before.leave_days;
    this.#say(
      `${won.length} saved, ${refused.length} refused, and each of them knows which. ` +
        `Leave days went from ${before.leave_days} to ${after}.`,
    );
  }

  #client(name) {
    return new VersionedClient({ fetch: this.#requests.fetchAs(name) });
  }

  #say(text) {
    this.#section.querySelector("[role=status]").textContent = text;
  }
}

function asItem({ status }) {
  const item = document.createElement("li");
  item.append(badge(status));
  return item;
}
