// What the component `measured` answers, for workerd.
const HELLO = "Hello from a handler. It answers with a hundred bytes, which is as small as answers usually become.\n";

export default {
  async fetch(request) {
    const path = new URL(request.url).pathname;
    if (path === "/hello") {
      return new Response(HELLO, { headers: { "content-type": "text/plain; charset=utf-8" } });
    }
    if (path === "/echo") {
      return Response.json(await request.json());
    }
    if (path === "/form") {
      const form = await request.formData();
      let page = "<!doctype html><title>Form</title><dl>\n";
      for (const [name, value] of form) {
        page += `<dt>${escape(name)}<dd>${escape(value)}\n`;
      }
      return html(page + "</dl>\n");
    }
    if (path === "/table") {
      let page = "<!doctype html><title>Table</title><table>\n";
      for (let row = 1; row <= 100; row++) {
        page += `<tr><td>${row}<td>${escape(`row <${row}>`)}<td>${row * row}\n`;
      }
      return html(page + "</table>\n");
    }
    return new Response("nothing here\n", { status: 404 });
  },
};

function html(page) {
  return new Response(page, { headers: { "content-type": "text/html; charset=utf-8" } });
}

function escape(text) {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
