// A file that is sent to the page as soon as it is chosen.
export default {
  template: `
    <div class="file">
      <label>{{ label }} <input type="file" :disabled="disable" @change="send" ref="chosen" /></label>
      <span role="status">{{ said }}</span>
    </div>
  `,
  props: { label: String, url: String, disable: Boolean, maxFileSize: Number },
  data: () => ({ said: "" }),
  methods: {
    async send() {
      const [file] = this.$refs.chosen.files;
      if (file === undefined) {
        this.$emit("removed");
        this.said = "";
        return;
      }
      if (file.size > this.maxFileSize) {
        this.said = "is too large";
        this.$emit("rejected");
        return;
      }
      this.said = "is being sent";
      const body = new FormData();
      body.append(file.name, file);
      const answer = await fetch(window.path_prefix + this.url, { method: "POST", body }).catch(() => ({}));
      this.said = answer.ok ? "is there" : "did not arrive";
      if (!answer.ok) this.$emit("rejected");
    },
    reset() {
      this.$refs.chosen.value = "";
      this.said = "";
    },
  },
};
