// Tells an element of the page to refresh itself when the server has news: a sweep that ended, an
// alert. Its own timer goes on beside, for where no stream comes through. A page that is not seen
// does not listen: browsers allow few open connections.

const SPREAD_MS = 1_000; // so that not all pages ask at the same moment
const AGAIN_MS = 5_000;

let source = null;
let known = null;

export function listen(element) {
  const follow = () => {
    source?.close();
    source = document.hidden ? null : connect(element);
  };
  document.addEventListener("visibilitychange", follow);
  follow();
}

function connect(element) {
  const stream = new EventSource("/events?only=news");
  stream.addEventListener("state", (event) => {
    if (known !== null && known !== event.data) {
      setTimeout(() => htmx.trigger(element, "refresh"), SPREAD_MS * Math.random());
    }
    known = event.data;
  });
  stream.addEventListener("end", () => stream.close());
  stream.addEventListener("error", () => {
    if (stream.readyState === EventSource.CLOSED && stream === source) {
      setTimeout(() => {
        if (stream === source && !document.hidden) {
          source = connect(element);
        }
      }, AGAIN_MS);
    }
  });
  return stream;
}
