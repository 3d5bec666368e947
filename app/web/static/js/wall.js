// The wall: takes over each state that the server tells, turns its panels, says loudly when it is
// cut off, and loads itself anew once a day and after an upgrade.

const PANEL_S = 20;
const SILENT_S = 35; // the server beats every 10 s
const CUT_S = 5;
const LONGEST_PAUSE_S = 30;
const RENEWED_AFTER_S = 24 * 3600;

const wall = document.getElementById("wall");
const turner = document.getElementById("turner");
const lost = document.getElementById("lost");
const buttons = [...turner.querySelectorAll("[data-panel]")];
const openedAt = seconds();

let shown = 0;
let turnedAt = seconds();
let isHeld = false;
let heardAt = seconds();
let cutAt = null;
let pause = 1;
let ahead = 0; // of the server's clock to ours

function seconds() {
  return performance.now() / 1000;
}

// What the server tells

function listen() {
  const source = new EventSource(`/events?lang=${wall.dataset.language}`);
  source.addEventListener("state", (event) => {
    hear();
    wall.innerHTML = event.data;
    show(shown);
  });
  source.addEventListener("beat", (event) => {
    hear();
    const { now, version } = JSON.parse(event.data);
    ahead = now - Date.now() / 1000;
    if (version !== wall.dataset.version || seconds() - openedAt > RENEWED_AFTER_S) {
      location.reload();
    }
  });
  source.addEventListener("end", leave);
  source.addEventListener("error", () => {
    const isAnswered = source.readyState === EventSource.CLOSED; // by something else than events
    source.close();
    cutAt ??= seconds();
    setTimeout(isAnswered ? askWhy : listen, pause * (750 + 500 * Math.random()));
    pause = Math.min(2 * pause, LONGEST_PAUSE_S);
  });
}

function hear() {
  heardAt = seconds();
  cutAt = null;
  pause = 1;
}

// Not signed in any more, or only a server that is not ready?
async function askWhy() {
  const asking = new AbortController();
  try {
    const answer = await fetch("/events", { signal: asking.signal });
    if (answer.status === 401 || answer.status === 403) {
      leave();
      return;
    }
  } catch {
    // away
  } finally {
    asking.abort();
  }
  listen();
}

function leave() {
  location.replace("/wall/enter");
}

// What it shows

function show(number) {
  shown = number;
  const key = buttons[shown].dataset.panel;
  for (const panel of wall.querySelectorAll(".panel")) {
    const isShown = panel.dataset.panel === key;
    panel.classList.toggle("shown", isShown);
    panel.inert = !isShown;
  }
  for (const button of buttons) {
    button.toggleAttribute("aria-current", button === buttons[shown]);
  }
  tellTime();
}

function turn(steps) {
  turnedAt = seconds();
  show((shown + steps + buttons.length) % buttons.length);
}

function hold(isToHold) {
  isHeld = isToHold;
  turnedAt = seconds();
  document.getElementById("pause").setAttribute("aria-pressed", String(isHeld));
}

function tellTime() {
  const clock = document.getElementById("clock");
  if (clock) {
    const local = new Date(Date.now() + ahead * 1000 + clock.dataset.offset * 60_000);
    clock.textContent = local.toISOString().slice(11, 16);
  }
}

function tick() {
  const isLost = seconds() - heardAt > SILENT_S || (cutAt !== null && seconds() - cutAt > CUT_S);
  lost.hidden = !isLost;
  wall.classList.toggle("old", isLost);
  tellTime();
  if (!isHeld && seconds() - turnedAt >= PANEL_S) {
    turn(1);
  }
}

turner.addEventListener("click", ({ target }) => {
  if (target.id === "pause") {
    hold(!isHeld);
  } else if (buttons.includes(target)) {
    turn(buttons.indexOf(target) - shown);
  }
});
document.addEventListener("keydown", ({ key, target }) => {
  if (key === "ArrowRight" || key === "ArrowLeft") {
    turn(key === "ArrowRight" ? 1 : -1);
  } else if (key === " " && target.tagName !== "BUTTON") {
    hold(!isHeld);
  }
});
document.documentElement.classList.add("turning");
show(0);
setInterval(tick, 1000);
listen();
