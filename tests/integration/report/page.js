"use strict";
document.documentElement.classList.add("js");
const one = (id) => document.getElementById(id);
const list = one("list"), rows = [...list.children], boxes = [...document.querySelectorAll(".chip input")];

// The list: words sought, order, and how many are shown. Outcomes and hosts are filtered by the style sheet alone.
const texts = new Map();
const text = (row) => texts.get(row) ?? texts.set(row, row.textContent.toLowerCase()).get(row);
const ticked = (row) => boxes.every((box) => box.checked || !row.classList.contains(box.id.replace(/^o-/, "").replace(/^h-/, "h")));

function seek() {
  const words = one("text").value.toLowerCase().trim();
  let shown = 0;
  for (const row of rows) {
    row.hidden = !text(row).includes(words);
    shown += !row.hidden && ticked(row);
  }
  one("shown").textContent = shown === rows.length ? `${shown} tests` : `${shown} of ${rows.length} tests`;
}
let later;
one("text").addEventListener("input", () => { clearTimeout(later); later = setTimeout(seek, 120); });
boxes.forEach((box) => box.addEventListener("change", seek));

const number = (row) => Number(row.id.slice(1)), name = (row) => row.querySelector(".name").textContent;
const orders = {
  failures: () => 0,
  run: (a, b) => number(a) - number(b),
  slow: (a, b) => b.dataset.s - a.dataset.s,
  name: (a, b) => name(a).localeCompare(name(b)),
};
one("order").addEventListener("change", (event) => list.append(...[...rows].sort(orders[event.target.value])));
one("unfold").addEventListener("click", (event) => {
  const open = event.target.textContent === "Unfold";
  for (const row of rows) if (!row.hidden && ticked(row)) row.open = open;
  event.target.textContent = open ? "Fold" : "Unfold";
});

// A link to a test or a phase opens it.
function follow() {
  const target = location.hash && one(location.hash.slice(1));
  if (!target) return;
  target.hidden = false;
  const details = target.matches("details") ? target : target.querySelector("details");
  if (details) details.open = true;
  target.scrollIntoView({ block: "nearest" });
  details?.querySelector("summary").focus({ preventScroll: true });
}
addEventListener("hashchange", follow);

// The timelines: what a bar stands for at once, zoom, and an axis with as many marks as there is room for.
const tip = one("tip");
let here = null;
function point(bar) {
  here?.classList.remove("here");
  here = bar;
  tip.hidden = !bar;
  if (!bar) return;
  bar.classList.add("here");
  if (bar.title) { bar.dataset.tip = bar.title; bar.removeAttribute("title"); }
  tip.textContent = bar.dataset.tip;
  const at = bar.getBoundingClientRect(), room = document.documentElement.clientWidth - tip.offsetWidth - 12;
  tip.style.left = `${Math.max(12, Math.min(at.left, room))}px`;
  tip.style.top = `${at.top > tip.offsetHeight + 12 ? at.top - tip.offsetHeight - 6 : at.bottom + 6}px`;
}
for (const lane of document.querySelectorAll(".lane")) {
  lane.addEventListener("pointerover", (event) => point(event.target.closest("a")));
  lane.addEventListener("pointerleave", () => point(null));
  lane.addEventListener("blur", () => point(null));
  // A finger has no hover: its first tap tells, its second follows.
  let touched = null;
  lane.addEventListener("click", (event) => {
    const bar = event.target.closest("a");
    if (event.pointerType === "touch" && bar !== touched) { event.preventDefault(); point(bar); }
    touched = bar;
    if (bar && !event.defaultPrevented && bar.hash === location.hash) follow();
  });
  lane.addEventListener("keydown", (event) => {
    const bars = [...lane.children].filter((bar) => bar.offsetParent), at = bars.indexOf(here);
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: bars.length - 1 }[event.key];
    if (event.key === "Enter" && here) here.click();
    if (event.key === "Escape") point(null);
    if (next === undefined || !bars.length) return;
    event.preventDefault();
    const bar = bars[Math.max(0, Math.min(bars.length - 1, next))];
    bar.scrollIntoView({ block: "nearest", inline: "nearest" });
    point(bar);
  });
}
addEventListener("scroll", () => point(null), { passive: true });

const drawings = [...document.querySelectorAll(".drawing")];
const longest = Math.max(...drawings.map((drawing) => Number(drawing.dataset.seconds)), 0.001);
const steps = [0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600];
const clock = (s) => s < 60 ? `${+s.toFixed(2)} s` : `${Math.floor(s / 60)}${s % 60 ? `:${String(s % 60).padStart(2, "0")}` : ""} min`;
function axes() {
  for (const drawing of drawings) {
    const least = longest * 85 / (drawing.clientWidth || 1), step = steps.find((s) => s >= least) ?? 7200;
    const marks = [];
    for (let index = 0; index * step < longest; index++) {
      const s = index * step;
      const mark = document.createElement("span");
      mark.style.left = `${100 * s / longest}%`;
      mark.textContent = clock(s);
      if (100 * s / longest < 100 - 6000 / (drawing.clientWidth || 1)) marks.push(mark);
    }
    drawing.querySelector(".axis").replaceChildren(...marks);
  }
}
let zoom = 1;
function magnify(by) {
  zoom = Math.max(1, Math.min(64, zoom * by));
  one("zoom").textContent = `${zoom}×`;
  for (const drawing of drawings) {
    const pane = drawing.parentElement, middle = (pane.scrollLeft + pane.clientWidth / 2) / drawing.clientWidth;
    drawing.style.setProperty("--zoom", zoom);
    pane.scrollLeft = middle * drawing.clientWidth - pane.clientWidth / 2;
  }
  axes();
}
one("wider").addEventListener("click", () => magnify(2));
one("narrower").addEventListener("click", () => magnify(0.5));
addEventListener("resize", axes);
axes();
seek();
follow();
