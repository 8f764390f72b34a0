// What the scripts share, and tables of buttons: one button of a table is in the tab order, arrow
// keys move to its neighbours.
const page = { data: JSON.parse(document.getElementById("data").textContent) };

// `moved` is told of the button that an arrow key led to.
page.rove = (table, selector, moved = () => {}) => {
  const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  // Anew each time: rows may have been sorted.
  const rows = () =>
    [...table.querySelectorAll("tbody tr")].map((row) =>
      [...row.querySelectorAll("td")].map((cell) => cell.querySelector(selector)),
    );
  const enter = (button) => {
    table.querySelectorAll(`td ${selector}`).forEach((each) => {
      each.setAttribute("tabindex", each === button ? "0" : "-1");
    });
  };
  enter(table.querySelector(`td ${selector}`));
  table.addEventListener("focusin", (event) => {
    if (event.target.matches(`td ${selector}`)) enter(event.target);
  });
  table.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    const all = rows();
    let row = all.findIndex((own) => own.includes(event.target));
    if (!step || row < 0) return;
    event.preventDefault();
    let column = all[row].indexOf(event.target);
    let next = null;
    while (!next) {
      row += step[0];
      column += step[1];
      if (!all[row] || column < 0 || column >= all[row].length) return;
      next = all[row][column];
    }
    next.focus();
    moved(next);
  });
};
