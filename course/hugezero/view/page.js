// What hand.js and picture.js are made with; the three are one module to the browser.

// The box where one is.
const PLACE = ":is(.sel, .struck) :is(rect, .hz-op)";

function make(kind, look, words = "") {
  const node = document.createElement(kind);
  node.className = look;
  node.textContent = words;
  return node;
}

// The height of the tallest drawing among *parts*: all get it, so that nothing below jumps.
const SIZE = /^(<svg[^>]*? viewBox="0 0 \d+ )\d+("[^>]*? height=")\d+/;
function tallest(parts) {
  return Math.max(...parts.map((part) => (SIZE.test(part) ? Number(/ height="(\d+)"/.exec(part)[1]) : 0)));
}

// Makes what scrolls a stop for the keyboard; what does not is none.
function reach(box, name) {
  const wide = box.scrollWidth > box.clientWidth;
  if (wide || box.scrollHeight > box.clientHeight) {
    box.tabIndex = 0;
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", wide ? `${name}, scrolls sideways` : name);
  } else {
    for (const attribute of ["tabindex", "role", "aria-label"]) box.removeAttribute(attribute);
  }
}

// Scrolls to the row where one is, as far as needed, below the heads that stay.
function reveal(scroll) {
  const node = scroll.querySelector(PLACE);
  if (!node) {
    scroll.scrollTop = 0;
    return;
  }
  const box = node.getBoundingClientRect();
  const frame = scroll.getBoundingClientRect();
  const heads = scroll.querySelector(".hz-heads")?.getBoundingClientRect().height ?? 0;
  const up = box.top - 10 - frame.top - heads;
  const down = box.bottom + 24 - frame.bottom;
  const left = box.left - 46 - frame.left;
  const right = box.right + 10 - frame.right;
  if (up < 0) scroll.scrollTop += up;
  else if (down > 0) scroll.scrollTop += down;
  if (left < 0) scroll.scrollLeft += left;
  else if (right > 0) scroll.scrollLeft += Math.min(left, right);
}

const WAYS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1, PageUp: -1, PageDown: 1, Home: -1, End: 1 };
const TEN = 10; // moments to a page where there are no actions

// Where a key leads: from one change of the drawing to the next, with Shift by one operation, by action.
function led({ key, shiftKey }, at, moments, acts) {
  const way = WAYS[key];
  const last = moments.length - 1;
  const end = way < 0 ? 0 : last;
  if (key === "Home" || key === "End") return end;
  if (key.startsWith("Page")) {
    if (!acts.length) return at + way * TEN;
    return (way < 0 ? acts.findLast((act) => act < at) : acts.find((act) => act > at)) ?? end;
  }
  if (shiftKey) return at + way;
  let stop = at + way;
  while (stop > 0 && stop < last && moments[stop].stop === false) stop += way;
  return stop;
}

// Keys with which one leaves a picture: Escape is back in the notebook, Shift+Enter goes on in it.
function leaves(event, root) {
  const onwards = event.key === "Enter" && event.shiftKey;
  const cell = root.closest(".jp-Cell");
  if (!cell || !(onwards || event.key === "Escape")) return false;
  if (!onwards) {
    event.preventDefault();
    event.stopPropagation();
  }
  cell.focus(); // before the key arrives where it would press a button
  return true;
}
