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

  // One button in the heading and one at the end: both say what the next press of either does.
  const all = document.querySelectorAll(".all-code");
  for (const button of all) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const open = button.textContent === button.dataset.show;
      for (const cell of document.querySelectorAll("details.code")) cell.open = open;
      for (const other of all) other.textContent = open ? other.dataset.hide : other.dataset.show;
    });
  }

  // A box is a stop of the Tab key only while there is something in it to scroll to.
  const boxes = document.querySelectorAll(".wide, .fig, pre");
  const stops = () => {
    const scrolls = Array.from(boxes, (box) => box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight);
    boxes.forEach((box, place) => {
      if (scrolls[place]) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    });
  };
  addEventListener("resize", stops, { passive: true });
  document.addEventListener("toggle", stops, true);
  stops();

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
    const list = links[current].closest(".toc"), line = links[current].offsetTop;
    if (line < list.scrollTop || line > list.scrollTop + list.clientHeight - 40) list.scrollTop = line - 80;
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
