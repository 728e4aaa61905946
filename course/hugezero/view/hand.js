// Continues a schedule by hand. What a CPU would do next only the kernel knows: it is asked, and where
// nobody answers, that is said. Answers to what was asked before are dropped.

const PATIENCE = 4000; // ms
const NO_KERNEL =
  "The kernel does not answer. Going on by hand needs it: run this cell again. ↑ ↓ work without it.";

// *show(answer)* shows what was done by hand; *at()* tells how many picks lead to the row that is open;
// *rest()* takes the focus where there is no button for it.
function byHand({ model, show, at, rest }) {
  const bar = make("div", "hz-hand");
  const says = make("p", "hz-soft");
  says.setAttribute("role", "status");
  const row = make("div", "hz-picks");
  bar.append(says, row);
  bar.hidden = true;

  let asked = "";
  let waiting = 0;
  let picks = [];
  let choices = [];

  function ask(what) {
    asked = `${Date.now()} ${Math.random()}`;
    clearTimeout(waiting);
    waiting = setTimeout(() => (says.textContent = NO_KERNEL), PATIENCE);
    try {
      Promise.resolve(model.send({ asked, ...what })).catch(() => (says.textContent = NO_KERNEL));
    } catch {
      says.textContent = NO_KERNEL;
    }
  }

  function answered(answer) {
    if (answer.asked !== asked) return;
    clearTimeout(waiting);
    if (answer.error) {
      says.textContent = answer.error;
      return;
    }
    picks = answer.picks;
    choices = answer.choices;
    show(answer);
    says.textContent = `${answer.says} · Backspace takes a step back · C ends this`;
    const held = row.contains(document.activeElement) ? document.activeElement.dataset.cpu : undefined;
    row.replaceChildren(...choices.map(button));
    if (held !== undefined) hold(held);
  }

  // The button that had the focus is gone: the next one of that CPU gets it, or of another, or the slider.
  function hold(cpu) {
    const able = [...row.querySelectorAll("button:enabled")];
    const next = able.find((node) => node.dataset.cpu === cpu) ?? able[0];
    if (next) next.focus({ preventScroll: true });
    else rest();
  }

  function button(choice) {
    const node = make("button", "hz-button");
    const key = choice.way ? `⇧${choice.cpu}` : `${choice.cpu}`;
    node.append(make("kbd", "", key), ` ${choice.who} `, make("span", "mono", choice.does));
    node.disabled = !("way" in choice);
    node.dataset.cpu = choice.cpu;
    node.addEventListener("click", () => go(choice.cpu, choice.way));
    return node;
  }

  function go(cpu, way) {
    const done = picks.slice(0, at());
    ask({ picks: [...done, [cpu, way]] });
  }

  model.on("msg:custom", answered);
  return {
    bar,
    get on() {
      return !bar.hidden;
    },
    start(rows) {
      bar.hidden = false;
      says.textContent = "Asking the kernel …";
      row.replaceChildren();
      picks = choices = [];
      ask({ rows });
    },
    stop() {
      bar.hidden = true;
      asked = "";
      clearTimeout(waiting);
    },
    // Was this a key for us?
    key(event) {
      const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code)?.[1];
      if (event.key === "Backspace") {
        const done = picks.slice(0, at());
        if (done.length) ask({ picks: done.slice(0, -1) });
        return true;
      }
      if (digit === undefined) return false;
      const cpu = Number(digit);
      const ways = choices.filter((choice) => choice.cpu === cpu && "way" in choice);
      const way = ways[event.shiftKey ? 1 : 0];
      // From a row further up others may be able to go: the kernel knows.
      if (way || at() < picks.length) go(cpu, way ? way.way : event.shiftKey ? 1 : 0);
      return true;
    },
    forget() {
      clearTimeout(waiting);
      model.off("msg:custom", answered);
    },
  };
}
