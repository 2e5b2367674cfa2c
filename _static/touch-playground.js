// The batch-norm playground of bnlib/book/playground.py: the same formulas, at any setting.
function touchPlayground(widget) {
  const data = JSON.parse(widget.querySelector("script").textContent);
  const inputs = [...widget.querySelectorAll("input")];
  const number = (value) => {
    const text = value.toFixed(2);
    return text === "-0.00" ? "0.00" : text.replace("-", "−");
  };
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = (values, centre) => mean(values.map((value) => (value - centre) ** 2)); // biased

  const setting = () => {
    const at = {};
    for (const { name, type, value, checked } of inputs)
      if (type === "range") at[name] = Number(value);
      else if (checked) at[name] = value;
    at.eps = Number(`1e${at.eps}`);
    return at;
  };
  const input = (at, values) => values.slice(0, at.m).map((z) => at.mean + at.spread * z);
  const averages = (at) => {
    let [centre, square] = [0, 1];
    for (let step = 0; step < at.trained; step++) {
      const x = input(at, data.trained[step % data.trained.length]);
      const mu = mean(x);
      const unbiased = (variance(x, mu) * at.m) / (at.m - 1);
      centre += data.momentum * (mu - centre);
      square += data.momentum * (unbiased - square);
    }
    return [centre, square];
  };
  // What a batch gives in a mode: x, its mean and variance, what it is normalised by, y.
  const forward = (at, running, batch) => {
    const x = input(at, [data.marked, ...data.shown[batch - 1]]);
    const mu = mean(x);
    const own = [mu, variance(x, mu)];
    const [centre, square] = at.mode === "training" ? own : running;
    const root = Math.sqrt(square + at.eps);
    const y = x.map((value) => (at.gamma * (value - centre)) / root + at.beta);
    return { x, own, centre, root, y };
  };

  const inside = (value) => Math.abs(value) <= data.reach;
  const place = (value) => 50 + 48 * Math.max(-1, Math.min(1, value / data.reach));
  const band = (low, high, height) => {
    const [one, other] = [place(low), place(high)];
    return `<rect x="${Math.min(one, other).toFixed(2)}%" y="${height - 10}" height="20"
      width="${Math.abs(other - one).toFixed(2)}%" fill="currentColor" opacity="0.15"></rect>`;
  };
  const dot = (value, height, marked) =>
    `<circle cx="${place(value).toFixed(2)}%" cy="${height}" ${
      marked ? `r="6" fill="${data.ring}" stroke="currentColor"` : `r="4" fill="${data.dot}"`
    }></circle>`;
  const pair = (before, after, marked) =>
    `<line x1="${place(before).toFixed(2)}%" x2="${place(after).toFixed(2)}%" y1="${data.upper}"
      y2="${data.lower}" stroke="currentColor" opacity="${marked ? 0.9 : 0.2}"></line>` +
    dot(before, data.upper, marked) +
    dot(after, data.lower, marked);

  const drawing = widget.querySelector(".touch-drawing");
  const show = () => {
    const at = setting();
    const running = averages(at);
    const { x, own, centre, root, y } = forward(at, running, at.batch);
    const after = mean(y);
    const numbers = {
      mean: own[0],
      var: own[1],
      r_mean: running[0],
      r_var: running[1],
      x: x[0],
      root,
      x_hat: (x[0] - centre) / root,
      y: y[0],
      y_mean: after,
      y_var: variance(y, after),
    };
    const words = { m: at.m, mode: at.mode, trained: at.trained };
    for (const name in numbers) words[name] = number(numbers[name]);
    words.elsewhere = data.shown
      .map((_, other) => number(forward(at, running, other + 1).y[0]))
      .join(" · ");
    words.beyond = [...x, ...y].filter((value) => !inside(value)).length;

    for (const found of widget.querySelectorAll("[data-name]"))
      found.textContent = words[found.dataset.name];
    for (const found of widget.querySelectorAll("[data-when]"))
      found.hidden =
        found.dataset.when === "beyond" ? !words.beyond : found.dataset.when !== at.mode;
    for (const slider of widget.querySelectorAll(".touch-slider")) {
      const { name } = slider.querySelector("input");
      const text = String(at[name]).replace("-", "−");
      slider.querySelector("input").setAttribute("aria-valuetext", text);
      slider.querySelector(".touch-value").textContent = text;
    }
    drawing.setAttribute(
      "aria-label",
      data.label.replace(/{(\w+)}/g, (_, name) => words[name]),
    );
    drawing.querySelector(".touch-dots").innerHTML =
      band(centre - root, centre + root, data.upper) +
      band(at.beta - at.gamma, at.beta + at.gamma, data.lower) +
      x
        .map((before, i) => pair(before, y[i], i === 0))
        .reverse()
        .join("");
  };
  for (const one of inputs) one.addEventListener("input", show);
  show();
  widget.querySelector(".touch-controls").hidden = false;
}

window.addEventListener("DOMContentLoaded", () =>
  document.querySelectorAll(".touch-playground").forEach(touchPlayground),
);
