// Asks what becomes of a field that two people changed.

export class Question {
  #form;

  constructor(form) {
    this.#form = form;
  }

  /**
   * Show the field's three values, and wait for a decision.
   *
   * @param field the form's control, of which a copy takes what somebody makes of both.
   * @param values what was there (base), what is there now (theirs), and what this person
   *     entered (mine).
   * @returns the value that the field shall have, and a note that says whose it is.
   */
  async ask({ field, label, progress, values }) {
    const form = this.#form;
    form.querySelector("h3").textContent = label;
    form.querySelector(".progress").textContent = progress;
    showValues(form, values);
    const merged = field.cloneNode();
    merged.id = form.querySelector("label").htmlFor;
    merged.removeAttribute("aria-describedby");
    merged.value = values.mine;
    form.querySelector(".merge div").replaceChildren(merged);
    form.hidden = false;
    form.querySelector("h3").focus();
    const choice = await chosen(form);
    form.hidden = true;
    return {
      mine: { value: values.mine, note: "Yours, as you chose." },
      theirs: { value: values.theirs, note: "Theirs, as you chose." },
      merged: { value: merged.value, note: "Made of both." },
    }[choice];
  }
}

/** Which of the form's three buttons is pressed. */
function chosen(form) {
  return new Promise((resolve) => {
    form.elements.mine.onclick = () => resolve("mine");
    form.elements.theirs.onclick = () => resolve("theirs");
    form.onsubmit = (event) => {
      event.preventDefault();
      resolve("merged");
    };
  });
}

function showValues(form, values) {
  const names = Object.keys(values);
  const parts = differences(names.map((name) => String(values[name] ?? "")));
  names.forEach((name, index) => {
    const { before, differing, after } = parts[index];
    const mark = document.createElement(name === "base" ? "span" : "mark");
    mark.textContent = differing;
    const content = before || differing || after ? [before, mark, after] : ["(empty)"];
    form.querySelector(`[data-value=${name}]`).replaceChildren(...content);
  });
}

/** Where texts differ, in whole words, with a little of what surrounds it. */
function differences(texts) {
  const start = sharedWords(texts);
  const ends = texts.map((text) => reversed(text.slice(start)));
  const end = sharedWords(ends);
  return texts.map((text) => {
    const before = text.slice(0, start);
    const after = text.slice(text.length - end);
    return {
      before: before.length > 40 ? `…${before.slice(-40).replace(/^\S*\s/, "")}` : before,
      differing: text.slice(start, text.length - end),
      after: after.length > 40 ? `${after.slice(0, 40).replace(/\s\S*$/, "")}…` : after,
    };
  });
}

/** How long the words are with which all texts begin, the space after them included. */
function sharedWords([first, ...others]) {
  let length = 0;
  while (length < first.length && others.every((text) => text[length] === first[length])) {
    length += 1;
  }
  return first.slice(0, length).search(/\S*$/);
}

function reversed(text) {
  return Array.from(text).reverse().join("");
}
