// <script src="https://notify.example.com/inbox/bell.js"></script>
// <tocsin-bell server="https://notify.example.com" token="…"></tocsin-bell>
//
// A bell with the live number of unread notifications, and their list. Without a build step: a
// page loads this file, as a script or a module, and puts the element where it wants it.
//
// When the token has ended, one of all tabs asks its page for another by the event "tocsin-token",
// whose detail.give(token) takes it. "tocsin-item" tells of what came, "tocsin-open" of what was
// pressed: unless the page prevents its default, the item's data.url is gone to. The icon has the
// colour of the text around it, and the panel follows the color-scheme that is set for the element.

{
  const own = document.currentScript ?? document.querySelector('script[src*="/inbox/bell.js"]');
  import(new URL("bell/element.js", own.src).href);
}
