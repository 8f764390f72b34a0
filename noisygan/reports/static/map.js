// The map: the point nearest to a press plays; arrow keys move to the nearest point on that side.
(() => {
  "use strict";
  const map = document.querySelector("svg.map");
  if (!map) return;
  const REACH = 40;
  const said = document.querySelector(".map-said");
  const place = (element) => ({
    element,
    x: Number(element.dataset.x),
    y: Number(element.dataset.y),
  });
  const points = [...map.querySelectorAll(".point")].map(place);
  const shown = () => points.filter((point) => !point.element.classList.contains("off"));
  let current = null;

  function enter(point) {
    points.forEach(({ element }) => element.setAttribute("tabindex", "-1"));
    if (point) point.element.setAttribute("tabindex", "0");
    current = point;
  }

  function tell(point) {
    said.textContent = point.element.getAttribute("aria-label");
  }

  function play(point) {
    tell(point);
    if ("clip" in point.element.dataset) page.player.toggle(point.element);
    else page.player.stop();
  }

  function nearest(x, y) {
    let best = null;
    shown().forEach((point) => {
      const distance = Math.hypot(point.x - x, point.y - y);
      if (!best || distance < best.distance) best = { point, distance };
    });
    return best && best.distance <= REACH ? best.point : null;
  }

  map.addEventListener("click", (event) => {
    const box = map.getBoundingClientRect();
    const { width, height } = map.viewBox.baseVal;
    const point = nearest(
      ((event.clientX - box.left) / box.width) * width,
      ((event.clientY - box.top) / box.height) * height,
    );
    if (!point) return;
    enter(point);
    point.element.focus({ preventScroll: true });
    play(point);
  });

  map.addEventListener("keydown", (event) => {
    const ways = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      if (current) play(current);
      return;
    }
    const way = ways[event.key];
    if (!way || !current) return;
    event.preventDefault();
    let best = null;
    shown().forEach((point) => {
      const [across, down] = [point.x - current.x, point.y - current.y];
      const ahead = across * way[0] + down * way[1];
      const aside = Math.abs(across * way[1] + down * way[0]);
      if (point === current || ahead <= 0 || (ahead < aside / 2)) return;
      const cost = ahead + 2 * aside;
      if (!best || cost < best.cost) best = { point, cost };
    });
    if (!best) return;
    enter(best.point);
    best.point.element.focus();
  });

  map.addEventListener("focusin", (event) => {
    const point = points.find(({ element }) => element === event.target);
    if (point) {
      enter(point);
      tell(point);
    }
  });

  document.querySelectorAll("[data-toggle]").forEach((button) => {
    button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(on));
      points.forEach(({ element }) => {
        if (element.dataset.of === button.dataset.toggle) element.classList.toggle("off", !on);
      });
      if (!current || current.element.classList.contains("off")) enter(shown()[0] || null);
    });
  });
  enter(points[0]);
})();
