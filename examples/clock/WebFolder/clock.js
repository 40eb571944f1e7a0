// Moves the hands by the events of /ticker/ticks.
const turn = (id, degrees) => document.getElementById(id).style.transform = `rotate(${degrees}deg)`;
const state = document.getElementById("state");
const ticks = new EventSource("/ticker/ticks");
ticks.onopen = () => state.textContent = "Connected.";
// The browser asks again by itself.
ticks.onerror = () => state.textContent = "Connecting again…";
ticks.addEventListener("tick", (event) => {
  const now = new Date(Number(event.data));
  const [hours, minutes, seconds] = [now.getHours(), now.getMinutes(), now.getSeconds()];
  turn("hour", 30 * hours + minutes / 2);
  turn("minute", 6 * minutes + seconds / 10);
  turn("second", 6 * seconds);
  document.getElementById("time").value = now.toLocaleTimeString();
});
