/* Hands on what a microphone hears, frame by frame. A file of its own: browsers load it into the
   thread of the sound. */
class Hear extends AudioWorkletProcessor {
  process([[channel]]) {
    if (channel) this.port.postMessage(channel.slice());
    return true;
  }
}

registerProcessor('hear', Hear);
