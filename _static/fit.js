// Formulas that are wider than their box are set smaller; what scrolls can be scrolled by keys.
const SMALLEST = 0.65; // of the size of the text

function fitFormulas() {
  for (const set of document.querySelectorAll(".bd-article mjx-container")) {
    const inner = set.querySelector("mjx-math");
    const box = set.getAttribute("display")
      ? set
      : set.parentElement.closest("p, li, td, th, dd, dt, figcaption, h1, h2, h3, h4, div");
    if (!inner || !box.clientWidth) continue;
    set.style.fontSize = set.dataset.size ??= set.style.fontSize; // MathJax has set one
    const [need, room] = [inner.getBoundingClientRect().width, box.clientWidth];
    if (need <= room || box.matches("td, th")) continue;
    const now = parseFloat(getComputedStyle(set).fontSize);
    set.style.fontSize = `${now * Math.max(SMALLEST, (0.98 * room) / need)}px`;
  }
}

const scrolling = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});

window.addEventListener("load", async () => {
  for (const box of document.querySelectorAll(".bd-article table, .cell_output, .bd-article pre"))
    scrolling.observe(box);
  if (!window.MathJax?.startup?.promise) return;
  await MathJax.startup.promise;
  fitFormulas();
  let width = innerWidth;
  window.addEventListener("resize", () => {
    if (innerWidth !== width) fitFormulas();
    width = innerWidth;
  });
  document.addEventListener("toggle", fitFormulas, true); // a fold shows formulas that had no box
  document.addEventListener("click", (event) => {
    if (event.target.closest(".toggle, .toggle-button")) setTimeout(fitFormulas);
  });
});
