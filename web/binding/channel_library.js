// The functions that page_channel.cc imports. `Module.channel` is what session.js gives the program: the frames that
// the worker with the connection shares (frames.js).
mergeInto(LibraryManager.library, {
  ap_channel_send: (frame, bytes) => Module.channel.send(HEAPU8.subarray(frame, frame + bytes)),
  ap_channel_receive: (area, wait) => Module.channel.receive(HEAPU8, area, wait),
  ap_channel_reason: (text, room) => {
    const bytes = new TextEncoder().encode(Module.channel.reason()).subarray(0, room);
    HEAPU8.set(bytes, text);
    return bytes.length;
  },
  ap_channel_close: () => Module.channel.close(),
});
