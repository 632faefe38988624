const zoom = document.getElementById("zoom");
const chart = document.querySelector(".chart");
const label = document.querySelector(".lane h2").offsetWidth;
let second = Number(zoom.value);
document.getElementById("zooming").hidden = false;
zoom.addEventListener("input", () => {
  const half = (chart.clientWidth - label) / 2;
  const middle = (chart.scrollLeft + half) / second;
  second = Number(zoom.value);
  document.documentElement.style.setProperty("--second", second + "px");
  chart.scrollLeft = middle * second - half;
});
