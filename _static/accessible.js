// What the theme leaves unnamed for screen readers and keyboards.
function nameThings() {
  const set = (selector, name, value) => {
    for (const found of document.querySelectorAll(selector)) found.setAttribute(name, value);
  };
  set(".search-button, .search-button__button", "aria-label", "Search");
  set(".theme-switch-button", "aria-label", "Colour mode: light, dark or the system's");
  set(".theme-switch-button svg", "aria-hidden", "true"); // the button has the name
  set(".citation-list", "role", "list");
  set(".citation-list > .citation", "role", "listitem");
  set(".sidebar-primary-item .logo", "aria-label", "The BatchNorm book, first page");
  for (const summary of document.querySelectorAll("summary"))
    if (!summary.textContent.trim()) summary.setAttribute("aria-label", "Show or hide");
}

window.addEventListener("load", () => {
  nameThings();
  const icons = new MutationObserver(nameThings); // Font Awesome draws them later
  for (const button of document.querySelectorAll(".theme-switch-button"))
    icons.observe(button, { childList: true });
});
