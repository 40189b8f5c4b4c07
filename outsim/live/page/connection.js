/* What the browser knows of its connection: whether there is one, and whether the session is still that of before. */

const KEY = "outsim-session";

export default {
  template: `<p v-if="isGone" class="notice" role="status">{{ gone }}</p>`,
  props: { session: String, gone: String },
  data: () => ({ isGone: false }),
  mounted() {
    const before = sessionStorage.getItem(KEY);
    sessionStorage.setItem(KEY, this.session);
    this.isGone = before !== null && before !== this.session;
    const popup = document.getElementById("popup");
    const room = document.getElementById("main");
    const show = () => { room.inert = popup.ariaHidden === "false"; };
    this.watched = new MutationObserver(show);
    this.watched.observe(popup, { attributeFilter: ["aria-hidden"] });
  },
  unmounted() {
    this.watched.disconnect();
  },
};
