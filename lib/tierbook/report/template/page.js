"use strict";
(function () {
  // Tables sort by their heading: a click or the keyboard; empty cells stay last either way.
  const compare = new Intl.Collator(document.documentElement.lang, { numeric: true }).compare;
  const keyOf = (row, place, numeric) => {
    const cell = row.cells[place];
    const raw = cell.dataset.v === undefined ? cell.textContent : cell.dataset.v;
    if (raw === "" || raw === "–") return null;
    return numeric ? Number(raw) : raw;
  };
  const sort = (table, head) => {
    const falling = head.getAttribute("aria-sort") === "ascending";
    const numeric = head.dataset.k === "n";
    const body = table.tBodies[0];
    const rows = Array.from(body.rows, (row) => [keyOf(row, head.cellIndex, numeric), row]);
    rows.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null);
      const order = numeric ? a - b : compare(a, b);
      return falling ? -order : order;
    });
    body.append(...rows.map(([, row]) => row));
    for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", falling ? "descending" : "ascending");
  };
  // Long tables get a field that keeps the rows in which the words typed stand.
  const MANY = 16;
  const filterable = (table) => {
    const rows = Array.from(table.tBodies[0].rows);
    if (rows.length < MANY) return;
    const field = document.createElement("input");
    field.type = "search";
    field.placeholder = document.body.dataset.filter;
    field.setAttribute("aria-label", document.body.dataset.filter);
    const count = document.createElement("span");
    count.setAttribute("role", "status");
    let texts = null;
    field.addEventListener("input", () => {
      texts = texts || rows.map((row) => Array.from(row.cells, (cell) => cell.textContent).join("\n").toLowerCase());
      const wanted = field.value.trim().toLowerCase();
      let shown = 0;
      rows.forEach((row, place) => {
        row.hidden = !texts[place].includes(wanted);
        shown += row.hidden ? 0 : 1;
      });
      count.textContent = wanted ? `${shown} / ${rows.length}` : "";
    });
    const box = document.createElement("p");
    box.className = "filter";
    box.append(field, count);
    table.closest(".wide").before(box);
  };
  for (const table of document.querySelectorAll("table[data-sortable]")) {
    filterable(table);
    for (const head of table.tHead.rows[0].cells) {
      const button = document.createElement("button");
      button.type = "button";
      button.title = document.body.dataset.sort;
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => sort(table, head));
    }
  }

  const all = document.getElementById("all-code");
  if (all) {
    all.hidden = false;
    all.addEventListener("click", () => {
      const open = all.textContent === all.dataset.show;
      for (const cell of document.querySelectorAll("details.code")) cell.open = open;
      all.textContent = open ? all.dataset.hide : all.dataset.show;
    });
  }

  // The contents list follows the scroll: the last heading near the top edge is the current one.
  const links = Array.from(document.querySelectorAll(".toc a"));
  const heads = links.map((link) => document.getElementById(link.hash.slice(1)));
  const follow = () => {
    const passed = heads.filter((head) => head.getBoundingClientRect().top < 100).length;
    const atEnd = innerHeight + scrollY >= document.documentElement.scrollHeight - 2;
    const current = atEnd && scrollY > 0 ? links.length - 1 : Math.max(0, passed - 1);
    links.forEach((link, place) => {
      if (place === current) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
  };
  if (links.length) {
    let waiting = false;
    addEventListener("scroll", () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => { waiting = false; follow(); });
    }, { passive: true });
    follow();
  }
})();
