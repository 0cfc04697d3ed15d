"use strict";

const table = document.querySelector(".students");
const headers = [...table.tHead.rows[0].cells];
const body = table.tBodies[0];
const search = document.querySelector(".search");
const rows = [...body.rows].map(row => ({
  row,
  name: row.querySelector("a").textContent,
  text: simplify(row.cells[0].textContent),
  values: [...row.cells].map(cell => Number(cell.dataset.value)),
}));
const { compare } = new Intl.Collator("en", { numeric: true });

// Without accents and capital letters, "Zoe" finds "Zoë".
function simplify(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

function sort(column) {
  const descending = headers[column].getAttribute("aria-sort") === "ascending";
  for (const header of headers) header.removeAttribute("aria-sort");
  headers[column].setAttribute("aria-sort", descending ? "descending" : "ascending");
  rows.sort((a, b) => {
    const order = column === 0 ? compare(a.name, b.name) : a.values[column] - b.values[column];
    return (descending ? -order : order) || compare(a.name, b.name);
  });
  body.append(...rows.map(({ row }) => row));
}

function filter(text) {
  let found = 0;
  for (const row of rows) {
    row.row.hidden = !row.text.includes(simplify(text.trim()));
    if (!row.row.hidden) found += 1;
  }
  search.querySelector("[role=status]").textContent = `${found} of ${rows.length} students`;
}

headers.forEach((header, column) => {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...header.childNodes);
  header.append(button);
  button.addEventListener("click", () => sort(column));
});
search.hidden = false;
search.querySelector("input").addEventListener("input", event => filter(event.target.value));
sort(0);  // a browser also knows the places of letters such as Ø
