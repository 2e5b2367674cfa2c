// What the theme leaves unnamed for screen readers and keyboards.
function nameThings() {
  for (const button of document.querySelectorAll("button.search-button__button, .search-button"))
    button.setAttribute("aria-label", "Search");
  for (const title of document.querySelectorAll(".theme-switch title, .theme-switch-button title"))
    title.remove();
  for (const button of document.querySelectorAll(".theme-switch-button"))
    button.setAttribute("aria-label", "Colour mode: light, dark or the system's");
  for (const list of document.querySelectorAll(".citation-list")) list.setAttribute("role", "list");
  for (const item of document.querySelectorAll(".citation-list > .citation"))
    item.setAttribute("role", "listitem");
  for (const summary of document.querySelectorAll("details.toggle-details > summary, details > summary"))
    if (!summary.innerText.trim() || summary.querySelector("svg"))
      summary.setAttribute("aria-label", summary.innerText.trim() || "Show or hide");
  for (const box of document.querySelectorAll(".bd-article table, .cell_output, .bd-article pre"))
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0; // scrolls with the arrow keys
}
window.addEventListener("load", () => setTimeout(nameThings, 0));
