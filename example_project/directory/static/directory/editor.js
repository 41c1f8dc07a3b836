// One person's editor of a row.
import { VersionedClient, mergeFields } from "../etag_versioning/versioned-fetch.js";
import { Question } from "./question.js";
import { NoAnswer, badge } from "./requests.js";
import { showSaving } from "./saving.js";

// A person decides before each attempt, so it is for the person to give up.
const ATTEMPTS = 1000;

export class Editor {
  #section;
  #form;
  #fields;
  #question;
  #url;
  #client;
  /** The last request of this editor, and its last GET that was answered 200. */
  #exchange;
  #full;
  /** The row as this person has seen it. */
  #base;
  /** By field: a value of the row, and the text that the form made of it. */
  #filled = new Map();
  #busy = false;
  /** While a 412 waits for Save: sends what was decided. */
  #resume;

  constructor(section, url, requests) {
    this.#section = section;
    this.#form = section.querySelector("form");
    this.#fields = [...this.#form.querySelectorAll("input, textarea")];
    this.#question = new Question(section.querySelector(".question"));
    this.#url = url;
    this.#client = new VersionedClient({
      attempts: ATTEMPTS,
      fetch: requests.fetchAs(section.dataset.name, (exchange) => {
        this.#exchange = exchange;
        if (exchange.request.method === "GET" && exchange.status === 200) {
          this.#full = exchange;
        }
      }),
    });
    // Not what the fields have now: somebody may have typed before this script ran.
    this.#base = Object.fromEntries(this.#fields.map((field) => [field.name, field.defaultValue]));
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#resume ? this.#resume() : this.#run(() => this.#save());
    });
    this.#form.elements.reload.addEventListener("click", () => this.#run(() => this.#reload()));
  }

  open() {
    return this.#run(async () => {
      const response = await this.#client.fetch(this.#url);
      if (response.ok) {
        const row = await response.json();
        this.#takeOver(this.#base, row);
        this.#say(200, `Opened version ${row.version}.`);
      } else {
        await this.#sayError(response);
      }
    });
  }

  /** One task at a time. Where it fails, the form keeps what was typed. */
  async #run(task) {
    if (this.#busy) {
      return;
    }
    this.#busy = true;
    this.#sayPending();
    this.#section.querySelector(".saving").hidden = true;
    this.#fields.forEach((field) => this.#note(field, ""));
    try {
      await task();
    } catch (error) {
      const isSilent = error instanceof NoAnswer;
      const what = isSilent ? "The server did not answer." : "The answer makes no sense.";
      this.#say("–", `${what} What you typed is still here.`);
      if (!isSilent) {
        throw error;
      }
    } finally {
      this.#busy = false;
    }
  }

  async #save() {
    let sent = this.#entered();
    const response = await this.#client.fetch(this.#url, {
      method: "PATCH",
      json: sent,
      merge: async ({ theirs }) => {
        sent = await this.#decide(theirs);
        return sent;
      },
    });
    if (response.ok) {
      const row = await response.json();
      this.#fields.forEach((field) => this.#note(field, ""));
      // Beside what was sent: somebody may have typed on meanwhile.
      this.#takeOver(sent, row);
      const isAll = this.#fields.every((field) => this.#valueOf(field) === row[field.name]);
      const rest = isAll ? "" : " What you typed since is not saved yet.";
      this.#say(response.status, `Saved as version ${row.version}.${rest}`);
    } else if (response.status === 400) {
      this.#showErrors(await response.json());
    } else {
      await this.#sayError(response);
    }
  }

  /** After a 412: merge, and wait until the person saves again. */
  async #decide(theirs) {
    this.#say(412, "Not saved: the row was changed after you opened it.");
    await this.#merge(theirs);
    this.#say(412, "Not saved yet: the form has yours and theirs. Save again.");
    this.#form.elements.reload.disabled = true;
    this.#form.querySelector(".primary").focus();
    await new Promise((resolve) => {
      this.#resume = resolve;
    });
    this.#resume = undefined;
    this.#form.elements.reload.disabled = false;
    this.#sayPending();
    return this.#entered();
  }

  async #reload() {
    const response = await this.#client.fetch(this.#url);
    if (!response.ok) {
      await this.#sayError(response);
    } else if (this.#exchange.status === 304) {
      this.#say(304, "Nothing has changed.");
      showSaving(this.#section.querySelector(".saving"), this.#full, this.#exchange);
    } else {
      const row = await response.json();
      this.#say(200, `Version ${row.version} is there now.`);
      await this.#merge(row);
    }
  }

  /** Bring the row as it is now into the form. Ask about each field that both changed. */
  async #merge(theirs) {
    const base = this.#base;
    const { mine, taken, conflicts } = this.#takeOver(base, theirs);
    taken.forEach((field) => this.#note(field, "Theirs: you had not changed it."));
    this.#form.hidden = conflicts.length > 0;
    for (const [index, field] of conflicts.entries()) {
      const { name } = field;
      const { value, note } = await this.#question.ask({
        field,
        label: field.labels[0].textContent,
        progress: `Both of you changed it. Decision ${index + 1} of ${conflicts.length}.`,
        values: { base: base[name], theirs: theirs[name], mine: mine[name] },
      });
      this.#fill(field, value);
      this.#note(field, note);
    }
    this.#form.hidden = false;
  }

  /**
   * Put the row into the form, except for what this person has changed since base.
   *
   * @returns what the form had; the fields that took another value; the fields that both
   *     changed, which keep this person's value.
   */
  #takeOver(base, theirs) {
    const mine = this.#entered();
    const { merged, conflicts } = mergeFields({ base, mine, theirs });
    this.#base = theirs;
    const taken = this.#fields.filter(({ name }) => merged[name] !== mine[name]);
    taken.forEach((field) => this.#fill(field, merged[field.name]));
    return { mine, taken, conflicts: this.#fields.filter(({ name }) => conflicts.includes(name)) };
  }

  #fill(field, value) {
    field.value = value ?? "";
    this.#filled.set(field, { value, text: field.value });
  }

  /** What the form says. */
  #entered() {
    return Object.fromEntries(this.#fields.map((field) => [field.name, this.#valueOf(field)]));
  }

  #valueOf(field) {
    const filled = this.#filled.get(field);
    // A text area changes line ends: what nobody has edited is still what was read.
    const value = filled?.text === field.value ? filled.value : field.value;
    const isNumber = field.inputMode === "numeric" && /^\d+$/.test(value);
    return isNumber ? Number(value) : value;
  }

  #showErrors(errors) {
    this.#say(400, "Not saved: please correct what is marked.");
    const wrong = this.#fields.filter(({ name }) => name in errors);
    wrong.forEach((field) => this.#note(field, errors[field.name].join(" "), { isError: true }));
    wrong[0]?.focus();
  }

  #note(field, text, { isError = false } = {}) {
    field.ariaInvalid = isError ? "true" : null;
    const note = field.parentElement.querySelector(".note");
    note.textContent = text;
    note.classList.toggle("error", isError);
  }

  async #sayError(response) {
    const { message, detail } = await response.json().catch(() => ({}));
    this.#say(response.status, message ?? detail ?? response.statusText);
  }

  /** In the place of what was said last, which might be taken for the answer. */
  #sayPending() {
    this.#say("…", "Waiting for the server.");
  }

  #say(status, text) {
    this.#section.querySelector(".said").replaceChildren(badge(status), text);
  }
}
