// Turns pages that Python has drawn. Nothing is asked of the kernel, so a dead one does no harm.

const STEPS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1, PageUp: -10, PageDown: 10 };

function make(kind, look, words = "") {
  const node = document.createElement(kind);
  node.className = look;
  node.textContent = words;
  return node;
}

function render({ model, el }) {
  const parts = model.get("parts");
  const pages = model.get("pages");
  const moments = model.get("moments");
  const rows = model.get("rows");
  const words = model.get("words");
  const last = moments.length - 1;

  const root = make("div", "hz");
  const top = make("div", "hz-top");
  const title = make("p", "hz-title");
  title.setAttribute("aria-live", "polite");
  const where = make("p", "hz-soft");
  top.append(title, where);

  const slider = make("input", "");
  slider.type = "range";
  slider.min = 0;
  slider.max = last;
  slider.setAttribute("aria-label", rows.length ? "timeline: operation" : "memory map: operation");

  const list = make("ol", "hz-rows");
  list.tabIndex = 0;
  list.setAttribute("aria-label", "operations");
  list.innerHTML = rows.join("");

  const scroll = make("div", "hz-scroll");
  const foot = make("div", "hz-foot");
  foot.append(make("span", "hz-soft", last ? words.legend : words.legend.split(" · ")[0]));
  if (last) foot.append(make("span", "hz-soft", words.keys));

  root.append(top);
  if (last) root.append(slider);
  if (rows.length) root.append(list);
  root.append(scroll, foot);
  if (model.get("note")) root.append(make("p", "hz-soft", model.get("note")));

  let at = -1;
  let page = -1;
  let saving = 0;

  function show(next) {
    next = Math.max(0, Math.min(last, next));
    if (next === at) return;
    const moment = moments[next];
    if (moment.page !== page) {
      page = moment.page;
      scroll.innerHTML = pages[page].map((i) => parts[i]).join("") + "</svg>";
    } else {
      for (const node of scroll.querySelectorAll(".sel, .struck")) node.removeAttribute("class");
    }
    for (const node of scroll.querySelectorAll("[data-k]")) {
      if (moment.changed.includes(node.dataset.k)) node.setAttribute("class", moment.bug ? "struck" : "sel");
    }
    title.textContent = moment.title;
    title.classList.toggle("bad", moment.bug);
    where.textContent = moment.where;
    slider.value = next;
    slider.setAttribute("aria-valuetext", moment.where);
    if (rows.length) mark(at, next);
    at = next;
  }

  // Row i is the operation that led to moment i + 1.
  function mark(before, now) {
    const items = list.children;
    if (before > 0) {
      items[before - 1].classList.remove("now");
      items[before - 1].removeAttribute("aria-current");
    }
    const from = before < 0 ? 0 : Math.min(before, now);
    const to = before < 0 ? items.length : Math.max(before, now);
    for (let i = from; i < to; i++) items[i].classList.toggle("later", i >= now);
    const item = items[Math.max(0, now - 1)];
    if (now > 0) {
      item.classList.add("now");
      item.setAttribute("aria-current", "step");
    }
    list.scrollTop = item.offsetTop - (list.clientHeight - item.offsetHeight) / 2;
  }

  // What is kept is only for a notebook that is saved: it opens where it was left.
  function keep() {
    clearTimeout(saving);
    saving = setTimeout(() => {
      try {
        model.set("at", at);
        model.save_changes();
      } catch {
        // nobody listens any more
      }
    }, 200);
  }

  function go(next) {
    show(next);
    keep();
  }

  slider.addEventListener("input", () => go(Number(slider.value)));
  list.addEventListener("click", (event) => {
    const item = event.target.closest("li");
    if (item) go([...list.children].indexOf(item) + 1);
  });
  // A click anywhere takes the keys: else they would go to the notebook, which folds sections with them.
  root.addEventListener("mousedown", (event) => event.stopPropagation());
  root.addEventListener("click", (event) => {
    event.stopPropagation();
    if (!root.contains(document.activeElement) || document.activeElement === root) (last ? slider : scroll).focus();
  });
  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    event.stopPropagation(); // or the notebook moves to another cell
    const sideways = event.key === "ArrowLeft" || event.key === "ArrowRight";
    if (sideways && document.activeElement === scroll) return; // scrolls what is too wide
    const next = { Home: 0, End: last }[event.key] ?? (event.key in STEPS ? at + STEPS[event.key] : null);
    if (next === null) return;
    event.preventDefault();
    go(next);
  });

  // What scrolls must be in reach of the keyboard; what does not is no stop on the way.
  const watch = new ResizeObserver(() => {
    if (scroll.scrollWidth > scroll.clientWidth) {
      scroll.tabIndex = 0;
      scroll.setAttribute("role", "group");
      scroll.setAttribute("aria-label", "memory map, scrolls sideways");
    } else {
      for (const name of ["tabindex", "role", "aria-label"]) scroll.removeAttribute(name);
    }
  });
  watch.observe(scroll);

  const follow = () => show(model.get("at"));
  model.on("change:at", follow);
  el.append(root);
  show(model.get("at"));
  if (rows.length) requestAnimationFrame(() => mark(at, at));
  return () => {
    clearTimeout(saving);
    watch.disconnect();
    model.off("change:at", follow);
  };
}

export default { render };
