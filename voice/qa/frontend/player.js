/**
 * Plays a leg and tells listeners the call time once a frame. All legs start at call time 0, so changing the leg keeps the time.
 * "Both ears": a leg's two channels are what was received and what was sent; with headphones each would be in one ear.
 */
export class Player {
  #listeners = [];

  constructor(audio, duration, sources) {
    this.audio = audio;
    this.duration = duration;
    this.sources = sources;
    this.line = null;
    this.wanted = 0;
    this.graph = null;
    this.mixed = true;
    if (!audio) return;
    audio.addEventListener("play", () => this.#tick());
    for (const name of ["seeked", "pause", "ended", "loadedmetadata"]) audio.addEventListener(name, () => this.#tell());
    audio.addEventListener("loadedmetadata", () => {
      if (Math.abs(audio.currentTime - this.wanted) > 0.01) audio.currentTime = this.wanted;
    });
    this.listen(Object.keys(sources)[0]);
  }

  onTime(listener) {
    this.#listeners.push(listener);
  }

  get now() {
    return this.audio && this.audio.readyState ? this.audio.currentTime : this.wanted;
  }

  get playing() {
    return Boolean(this.audio && !this.audio.paused);
  }

  listen(line) {
    if (!this.audio || !this.sources[line] || line === this.line) return;
    const playing = this.playing;
    this.wanted = this.now;
    this.line = line;
    this.audio.src = this.sources[line];
    this.audio.playbackRate = this.speed || 1;
    if (playing) this.play();
  }

  play() {
    if (!this.audio) return;
    this.#route();
    this.audio.play().catch(() => this.#tell());
  }

  pause() {
    this.audio?.pause();
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  seek(t) {
    this.wanted = Math.min(Math.max(t, 0), this.duration);
    if (this.audio?.readyState) this.audio.currentTime = this.wanted;
    this.#tell();
  }

  setSpeed(speed) {
    this.speed = speed;
    if (this.audio) {
      this.audio.preservesPitch = true;
      this.audio.defaultPlaybackRate = this.audio.playbackRate = speed;
    }
  }

  mixBothEars(on) {
    this.mixed = on;
    this.#route();
  }

  /** Browsers start an AudioContext only after a gesture, so the graph is built at the first play. */
  #route() {
    if (!this.graph) {
      if (!this.mixed || !window.AudioContext) return;
      const context = new AudioContext();
      const source = context.createMediaElementSource(this.audio);
      const mono = context.createGain();
      mono.channelCount = 1;
      mono.channelCountMode = "explicit";
      this.graph = { context, source, mono };
    }
    const { context, source, mono } = this.graph;
    context.resume();
    source.disconnect();
    mono.disconnect();
    if (this.mixed) source.connect(mono).connect(context.destination);
    else source.connect(context.destination);
  }

  #tick() {
    this.#tell();
    if (this.playing) requestAnimationFrame(() => this.#tick());
  }

  #tell() {
    for (const listener of this.#listeners) listener(this.now);
  }
}
