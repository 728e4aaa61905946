// The code beside a schedule: where each CPU is in it. Python has made the lists of lines.

function sources(root, scroll) {
  const body = make("div", "hz-body");
  const panel = make("div", "hz-source");
  body.append(scroll);

  return {
    body,
    reached() {
      for (const box of [panel, ...panel.children]) reach(box, box.dataset.name ?? "code");
    },
    show(source) {
      panel.innerHTML = source ?? "";
      panel.remove();
      if (source) body.append(panel);
      body.classList.toggle("hz-with", Boolean(source));
      root.classList.toggle("hz-told", Boolean(source));
      this.reached();
    },
    mark(moment) {
      for (const node of panel.querySelectorAll(".now, .here")) node.classList.remove("now", "here");
      for (const node of panel.querySelectorAll(".at")) node.textContent = "";
      moment.at.forEach((key, cpu) => {
        const line = key && panel.querySelector(`[data-l="${key}"]`);
        if (!line) return;
        line.classList.add("here");
        line.querySelector(".at").textContent += `${cpu}▸`;
        if (cpu !== moment.cpu) return;
        line.classList.add("now");
        within(line, panel);
      });
    },
  };
}

// Scrolls *box*, and nothing else, until *node* can be seen in it.
function within(node, box) {
  const inner = node.getBoundingClientRect();
  const outer = box.getBoundingClientRect();
  if (inner.top < outer.top) box.scrollTop += inner.top - outer.top - 8;
  else if (inner.bottom > outer.bottom) box.scrollTop += inner.bottom - outer.bottom + 8;
}
