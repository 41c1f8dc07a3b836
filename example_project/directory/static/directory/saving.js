// What a 304 costs, beside the 200 before it.

const shown = {
  bytes: (value) => value.toLocaleString("en"),
  milliseconds: (value) => value.toFixed(1),
  queries: String,
};

/** Fill a table that has a row for each measure: the 200 and the 304, with bars to compare. */
export function showSaving(table, full, notModified) {
  for (const row of table.querySelectorAll("[data-measure]")) {
    const { measure } = row.dataset;
    const values = [full[measure], notModified[measure]];
    row.hidden = values.includes(undefined);
    if (!row.hidden) {
      values.forEach((value, index) => {
        const bar = document.createElement("span");
        bar.className = "bar";
        bar.style.width = `${(100 * value) / Math.max(...values, 1)}%`;
        row.cells[index + 1].replaceChildren(shown[measure](value), bar);
      });
    }
  }
  table.hidden = false;
}
