// Turns pages that Python has drawn. Nothing is asked of the kernel, so a dead one does no harm. A second
// drawing of each moment, a map, can be shown below; hand.js adds what is continued by hand.

function render({ model, el }) {
  const film = Object.fromEntries(["parts", "pages", "moments", "source"].map((name) => [name, model.get(name)]));
  const rows = model.get("rows");
  const words = model.get("words");
  const mapped = film.moments[0].map !== undefined;
  let { parts, pages, moments } = film;
  let last = moments.length - 1;
  let tall = tallest(parts);

  const root = make("div", `hz hz-live hz-${words.name.replace(" ", "-")}`);
  const top = make("div", "hz-top");
  const title = make("p", "hz-title");
  title.setAttribute("aria-live", "polite");
  const where = make("p", "hz-soft");
  top.append(title, where);

  const slider = make("input", mapped ? "hz-unseen" : "");
  slider.type = "range";
  slider.min = 0;
  slider.max = last;
  slider.setAttribute("aria-label", `${rows.length ? "timeline" : words.name}: operation`);

  const list = make("ol", "hz-rows");
  list.tabIndex = 0;
  list.setAttribute("aria-label", "operations");
  list.innerHTML = rows.join("");
  const items = [...list.querySelectorAll("[data-n]")]; // between them are the heads of actions

  const beside = make("div", "hz-beside");
  const scroll = make("div", "hz-scroll");
  const foot = make("div", "hz-foot");
  foot.append(make("span", "hz-soft", last || words.hand ? words.legend : words.legend.split(" · ")[0]));
  const keys = make("span", "hz-soft", words.keys);
  if (last || words.hand) foot.append(keys);

  const map = make("div", "hz-scroll hz-map");
  map.hidden = true;
  const hand = words.hand ? byHand({ model, show: open, at: () => moments[at].picks, rest: () => slider.focus() }) : null;

  root.append(top);
  if (last || hand) root.append(slider);
  const code = mapped ? sources(root, scroll) : null;
  if (rows.length) beside.append(list, scroll);
  root.append(rows.length ? beside : code ? code.body : scroll);
  if (hand) root.append(hand.bar);
  if (mapped) root.append(map);
  root.append(foot);
  if (model.get("note")) root.append(make("p", "hz-soft", model.get("note")));

  let at = -1;
  let page = -1;
  let saving = 0;
  let back = 0; // where what is done by hand began

  const buttons = {};
  function button(key, name, work) {
    const node = (buttons[key] = make("button", "hz-button"));
    node.append(make("kbd", "", key), ` ${name}`);
    node.setAttribute("aria-pressed", "false");
    node.addEventListener("click", work);
    keys.append(" ", node);
  }
  if (hand) button("C", "continue by hand from here", turnHand);
  if (mapped) button("M", "memory map", turnMap);

  function show(next) {
    next = Math.max(0, Math.min(last, next));
    if (next === at) return;
    const moment = moments[next];
    if (moment.page !== page) {
      page = moment.page;
      draw(scroll, page);
    } else {
      for (const node of scroll.querySelectorAll(".sel, .struck")) node.classList.remove("sel", "struck");
    }
    outline(scroll, moment);
    title.textContent = moment.title;
    title.classList.toggle("bad", moment.bug);
    where.textContent = moment.where;
    slider.value = next;
    slider.setAttribute("aria-valuetext", moment.said ?? moment.where);
    if (rows.length) mark(at, next);
    code?.mark(moment);
    at = next;
    if (!map.hidden) showMap();
    reveal(scroll);
  }

  function draw(box, number) {
    const drawn = pages[number].map((i) => parts[i]).join("");
    box.innerHTML = drawn.startsWith("<svg") ? `${drawn.replace(SIZE, `$1${tall}$2${tall}`)}</svg>` : drawn;
  }

  function outline(box, moment) {
    for (const node of box.querySelectorAll("[data-k]")) {
      if (moment.changed.includes(node.dataset.k)) node.classList.add(moment.bug ? "struck" : "sel");
    }
  }

  function showMap() {
    draw(map, moments[at].map);
    outline(map, moments[at]);
  }

  function turnMap() {
    map.hidden = !map.hidden;
    if (!map.hidden) {
      showMap();
      map.scrollIntoView({ block: "nearest" });
    }
    buttons.M?.setAttribute("aria-pressed", String(!map.hidden));
  }

  // Shows another film in this place.
  function open(other) {
    ({ parts, pages, moments } = other);
    code?.show(other.source);
    tall = tallest(parts);
    last = moments.length - 1;
    slider.max = last;
    page = at = -1;
    show(other.at);
  }

  function turnHand() {
    if (hand.on) {
      hand.stop();
      open({ ...film, at: back });
    } else {
      back = at;
      hand.start(moments[at].rows);
    }
    buttons.C.setAttribute("aria-pressed", String(hand.on));
  }

  // Row i is the operation that led to moment i + 1.
  function mark(before, now) {
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
    if (mapped) scroll.querySelector(PLACE)?.scrollIntoView({ block: "nearest", inline: "nearest" });
    if (!hand?.on) keep();
  }

  slider.addEventListener("input", () => go(Number(slider.value)));
  list.addEventListener("click", (event) => {
    const item = event.target.closest("li");
    if (items.includes(item)) go(items.indexOf(item) + 1);
  });
  // A click anywhere takes the keys: else they would go to the notebook, which folds sections with them.
  root.addEventListener("mousedown", (event) => event.stopPropagation());
  root.addEventListener("click", (event) => {
    event.stopPropagation();
    if (!root.contains(document.activeElement) || document.activeElement === root) (slider.isConnected ? slider : scroll).focus();
  });
  if (mapped) {
    scroll.addEventListener("click", (event) => {
      const row = /^r(\d+)$/.exec(event.target.closest("[data-k]")?.dataset.k ?? "");
      if (row) go(moments.findIndex((moment) => moment.rows === Number(row[1])));
      slider.focus({ preventScroll: true });
    });
  }
  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (leaves(event, root)) return;
    event.stopPropagation(); // or the notebook moves to another cell
    const letter = event.key.toUpperCase();
    if (letter in buttons || (hand?.on && hand.key(event))) {
      event.preventDefault();
      if (letter in buttons) buttons[letter].click();
      return;
    }
    const sideways = event.key === "ArrowLeft" || event.key === "ArrowRight";
    if (sideways && document.activeElement === scroll) return; // scrolls what is too wide
    if (!(event.key in WAYS)) return;
    event.preventDefault();
    go(led(event, at, moments, words.acts));
  });

  // What scrolls must be in reach of the keyboard; what does not is no stop on the way.
  const watch = new ResizeObserver(() => {
    reach(scroll, words.name);
    reach(map, "memory map");
    code?.reached();
    if (mapped) reveal(scroll);
  });
  watch.observe(scroll);
  watch.observe(map);

  const follow = () => hand?.on || show(model.get("at"));
  model.on("change:at", follow);
  el.append(root);
  code?.show(film.source);
  show(model.get("at"));
  if (rows.length) requestAnimationFrame(() => mark(at, at));
  return () => {
    clearTimeout(saving);
    watch.disconnect();
    hand?.forget();
    model.off("change:at", follow);
  };
}

export default { render };
