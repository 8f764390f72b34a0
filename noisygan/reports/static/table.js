// Tables: headings sort, numbers tell all about themselves, a switch shows the rest.
(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  function sort(table, heading) {
    const headings = all("thead th", table);
    const column = headings.indexOf(heading);
    const before = heading.getAttribute("aria-sort");
    const first = heading.dataset.first || "ascending";
    const other = first === "ascending" ? "descending" : "ascending";
    const order = before === first ? other : first;
    headings.forEach((each) => each.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", order);
    const key = (row) => {
      const text = row.children[column].dataset.sort;
      return text === undefined ? null : Number(text);
    };
    const sign = order === "ascending" ? 1 : -1;
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => ({ row, key: key(row) }));
    // What has no number is last either way.
    rows.sort((a, b) => {
      if (a.key === null || b.key === null) return (a.key === null) - (b.key === null);
      return sign * (a.key - b.key);
    });
    body.append(...rows.map((each) => each.row));
  }

  all("table.results").forEach((table) => {
    page.rove(table, ".cell");
    all("thead th", table).forEach((heading) => {
      heading.querySelector(".sort").addEventListener("click", () => sort(table, heading));
    });
  });

  const more = document.querySelector(".more");
  all("[data-more]").forEach((cell) => {
    cell.addEventListener("click", () => {
      all(".cell.open").forEach((other) => other.classList.remove("open"));
      cell.classList.add("open");
      // Under the table that it belongs to.
      cell.closest(".scroll").after(more);
      more.textContent = cell.dataset.more;
    });
  });

  all("[data-shows]").forEach((button) => {
    button.addEventListener("click", () => {
      const shown = button.getAttribute("aria-checked") !== "true";
      button.setAttribute("aria-checked", String(shown));
      document.getElementById(button.dataset.shows).hidden = !shown;
    });
  });
})();
