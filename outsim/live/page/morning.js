/* The moving picture of a run in its room: it asks for what it draws, and tells what is wanted. */

const READ_ERROR = "The morning can't be read: the sandbox does not answer.";

export default {
  template: `<div class="morning"><p ref="wait" class="note" role="status">{{ waits }}</p><div ref="picture"></div></div>`,
  props: { base: String, source: String },
  data: () => ({ waits: "The morning is being run ..." }),
  async mounted() {
    const [{ mount }, data] = await Promise.all([import(`${this.base}/static/animation.js`), this.read("data")]);
    if (data === null || this.is_gone) return;
    this.waits = "";
    this.drawn = this.source;
    this.animation = mount(this.$refs.picture, {
      data,
      theme: this.theme(),
      story: (call_id) => this.read(`story/${call_id}`),
      instant: (s) => this.read(`instant?at_s=${s}`),
      onStop: (s) => this.$emit("stop", s),
    });
    this.restyled = new MutationObserver(() => this.animation.setTheme(this.theme()));
    this.restyled.observe(document.body, { attributeFilter: ["class"] });
    this.$el.dataset.drawn = this.drawn;
    // Once it can be seen: whoever hears of it begins what else takes a processor.
    requestAnimationFrame(() => requestAnimationFrame(() => this.$emit("drawn")));
    if (this.drawn !== this.source) await this.renew();
  },
  unmounted() {
    this.is_gone = true;
    this.restyled?.disconnect();
    this.animation?.destroy();
  },
  watch: {
    source() {
      if (this.animation) this.renew();
    },
  },
  methods: {
    theme() {
      return document.body.classList.contains("body--dark") ? "dark" : "light";
    },
    async read(what) {
      const answer = await fetch(`${this.base}/${this.source}/${what}`).catch(() => null);
      if (answer?.ok) return answer.json();
      if (what === "data") this.waits = READ_ERROR;
      return null;
    },
    tellStop(text) {
      this.animation?.tellStop(text);
    },
    /** Draw what there is now: more of the session, or another run. */
    async renew() {
      const source = this.source;
      const data = await this.read("data");
      if (data === null || source !== this.source) return;
      this.waits = "";
      this.animation.update(data);
      this.$el.dataset.drawn = this.drawn = source;
    },
  },
};
