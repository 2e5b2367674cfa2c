// The learning-rate slider of bnlib/book/rate_slider.py: choose a rate, draw its recorded curves.
function touchRates(widget) {
  const data = JSON.parse(widget.querySelector("script").textContent);
  const { epochs, low, high, log } = data.axes;
  const [left, right] = data.frame;
  const scaled = (value) => (log ? Math.log(value) : value);
  const x = (place) => 10 * (left + ((right - left) * place) / Math.max(1, epochs - 1));
  const y = (value) =>
    (1000 * (scaled(high) - scaled(Math.max(value, low)))) / (scaled(high) - scaled(low));
  const path = (curves) =>
    curves
      .flatMap((curve) =>
        curve.map((value, place) =>
          value === null ? "" : `${place ? "L" : "M"}${x(place).toFixed(1)} ${y(value).toFixed(1)}`,
        ),
      )
      .join(" ");

  const input = widget.querySelector("input");
  const drawing = widget.querySelector(".touch-drawing");
  const seeds = drawing.querySelectorAll(".touch-seeds");
  const means = drawing.querySelectorAll(".touch-mean");
  const words = widget.querySelectorAll(".touch-says");
  const show = () => {
    const at = Number(input.value);
    input.setAttribute("aria-valuetext", data.rates[at]);
    for (const place of widget.querySelectorAll(".touch-value, .touch-at b"))
      place.textContent = data.rates[at];
    drawing.setAttribute("aria-label", data.labels[at]);
    data.arms.forEach((arm, place) => {
      seeds[place].setAttribute("d", path(arm.seeds[at]));
      means[place].setAttribute("d", path([arm.mean[at]]));
      words[place].textContent = arm.says[at];
    });
  };
  input.addEventListener("input", show);
  show();
  widget.querySelector(".touch-controls").hidden = false;
}

window.addEventListener("DOMContentLoaded", () =>
  document.querySelectorAll(".touch-rates").forEach(touchRates),
);
