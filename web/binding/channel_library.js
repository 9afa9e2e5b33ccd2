// The functions that page_channel.cc imports. `Module.channel` is what session.js gives the program: the frames that
// the worker with the connection shares (frames.js).
mergeInto(LibraryManager.library, {
  ap_channel_send: function(frame, bytes) {
    return Module.channel.send(HEAPU8.subarray(frame, frame + bytes));
  },
  ap_channel_receive: function(area, wait) {
    return Module.channel.receive(HEAPU8, area, wait);
  },
  ap_channel_reason: function(text, room) {
    var bytes = new TextEncoder().encode(Module.channel.reason()).subarray(0, room);
    HEAPU8.set(bytes, text);
    return bytes.length;
  },
  ap_channel_close: function() {
    Module.channel.close();
  },
});
