// Sorts and filters the tables of cells. Without it they are as readable, in the order of the run.
const value = (cell) => {
  const text = cell.textContent.trim();
  return text === "–" || text === "" ? null : /^-?[\d,.]+$/.test(text) ? Number(text.replaceAll(",", "")) : text;
};
const compare = (a, b) =>
  typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true });

for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0], rows = [...body.rows], heads = [...table.tHead.rows[0].cells];
  const texts = rows.map((row) => row.textContent.toLowerCase());

  const box = document.createElement("input"), count = document.createElement("span");
  box.type = "search";
  box.placeholder = "Show rows with these words";
  box.setAttribute("aria-label", box.placeholder);
  count.setAttribute("role", "status");
  box.addEventListener("input", () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    rows.forEach((row, at) => { row.hidden = !words.every((word) => texts[at].includes(word)); });
    count.textContent = words.length ? `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows` : "";
  });
  const tools = document.createElement("p");
  tools.className = "tools";
  tools.append(box, count);
  table.closest(".scroll").before(tools);

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down === 1 ? "ascending" : "descending");
      const keys = new Map(rows.map((row) => [row, value(row.cells[column])]));
      const missing = (row) => Number(keys.get(row) === null); // stands last, whichever way it is sorted
      const ordered = [...rows].sort((a, b) =>
        missing(a) - missing(b) || (missing(a) ? 0 : down * compare(keys.get(a), keys.get(b))));
      body.append(...ordered);
    });
  });
}
