// Takes the wall's token from behind the # of the address, which no server ever sees, and hands it
// in once for a cookie.

const AGAIN_S = 5;

async function enter() {
  const token = location.hash.slice(1);
  if (!token) {
    return;
  }
  let answer = null;
  try {
    answer = await fetch(location.pathname, { method: "POST", headers: { Authorization: `Bearer ${token}` } });
  } catch {
    // the server is away: as for an answer without sense
  }
  if (answer?.ok) {
    location.replace(`/wall${location.search}`);
    return;
  }
  const isRefused = Boolean(answer && answer.status < 500);
  document.getElementById("refused").hidden = !isRefused;
  document.getElementById("waiting").hidden = isRefused;
  if (isRefused) {
    history.replaceState(null, "", location.pathname + location.search);
  } else {
    setTimeout(enter, AGAIN_S * 1000);
  }
}

addEventListener("hashchange", enter);
enter();
