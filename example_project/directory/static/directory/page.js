// The start page: two editors of one row, eight writers, and the requests of all of them.
import { Editor } from "./editor.js";
import { RequestTable } from "./requests.js";
import { Writers } from "./writers.js";

const { url } = document.querySelector("main").dataset;
const requests = new RequestTable(document.getElementById("requests"));

new Writers(document.getElementById("writers"), url, requests);
for (const section of document.querySelectorAll(".editor")) {
  new Editor(section, url, requests).open();
}
