// Fit each slide's content into the slide, and start reveal.js.

const WIDTH = 1280;
const HEIGHT = 720;
// In percent. At 90, code of 15 px still has 20 px on a projector of 1920 pixels.
const LARGEST = 140;
const SMALLEST = 90;
const PARTS = ".check, .box, tbody, li";

function isTooFull(slide) {
  return slide.scrollHeight > HEIGHT || slide.scrollWidth > WIDTH;
}

/** Make a slide's content smaller until it fits. If that is not enough, continue on another slide. */
function fit(slide) {
  slide.style.display = "block"; // reveal.js hides all slides, and a hidden slide has no size
  const body = slide.querySelector(".body");
  for (let percent = LARGEST; percent >= SMALLEST; percent -= 5) {
    body.style.zoom = percent / 100;
    if (!isTooFull(slide)) break;
  }
  if (isTooFull(slide)) continueOnNext(slide);
  slide.style.display = "";
}

/** Move the second half of a slide's parts to a copy of the slide, and fit both. */
function continueOnNext(slide) {
  const next = slide.cloneNode(true);
  const parts = [...slide.querySelectorAll(PARTS)];
  const copies = [...next.querySelectorAll(PARTS)];
  if (parts.length < 2) return;
  const half = Math.ceil(parts.length / 2);
  parts.slice(half).forEach((part) => part.remove());
  copies.slice(0, half).forEach((copy) => copy.remove());
  next.classList.add("continued");
  slide.after(next);
  fit(slide);
  fit(next);
}

/** Add the title of the next slide to the notes. In the presenter window, a label hides the title in the picture. */
function nameNextSlide(notes) {
  const next = notes.parentElement.nextElementSibling?.querySelector("h1, h2");
  if (next) notes.append(`Next slide: ${next.textContent}`);
}

// With ?notes behind the address, the printed pages contain the notes.
if (location.search === "?notes") document.documentElement.classList.add("with-notes");

// On a phone, slides would be tiny, so the deck is a page to scroll. The small frames in the presenter window show slides.
const isPhone = matchMedia("(max-width: 700px), (max-height: 450px)").matches && !location.search.includes("receiver");
if (isPhone) {
  // A picture scrolls sideways there, also with the keyboard.
  document.querySelectorAll(".output:has(svg)").forEach((output) => (output.tabIndex = 0));
} else {
  document.querySelector(".deck").classList.add("reveal");
  document.querySelectorAll(".slides > section").forEach(fit);
  document.querySelectorAll("aside.notes").forEach(nameNextSlide);
  Reveal.initialize({
    width: WIDTH,
    height: HEIGHT,
    margin: 0,
    maxScale: 4,
    center: false,
    controls: false,
    hash: true,
    plugins: window.RevealNotes ? [RevealNotes] : [],
    scrollActivationWidth: 0,
    slideNumber: "c/t",
    transition: "none",
  });
}
