/** Private classification by a server that sees neither the picture nor the answer. */

export type ErrorCode = 'internal' | 'input' | 'peer' | 'security';

/** What went wrong, in a sentence, and on whose side: the codes are the exit statuses of the command line. */
export class AutoPrivacyError extends Error {
  readonly code: ErrorCode;
}

/** Counted from this client: what it sent and what it received. */
export interface Ways {
  up: number;
  down: number;
}

/** What the package says of the network. */
export interface Network {
  /** 64 hexadecimal digits; the server must hold the same. */
  id: string;
  name: string;
  input: { channels: number; height: number; width: number };
  classes: number;
  /** Names of the classes, or none. */
  labels: string[];
  /** How pictures get the network's size, as in `autoprivacy compile --help`; empty: they must have it. */
  framing: string;
  reveals: 'logits' | 'label';
}

/** One WebSocket message. */
export interface Frame {
  direction: 'up' | 'down';
  bytes: number;
  /** Milliseconds since 1970. */
  at: number;
  /** Of the first frame of a message: its type (docs/wire-format.md) and its bytes, header included. */
  type?: number;
  message?: number;
  /** Of the message with the masked picture: its payload, as far as the first frame has it. */
  masked?: Uint8Array;
}

/** Seconds and payload bytes of a phase. */
export interface Phase extends Ways {
  seconds: number;
}

export interface Answer {
  /** The best class; -1 if the server does not follow the protocol. */
  label: number;
  /** Its name, or its number where the package has no names. */
  name: string;
  /** In units of the logits' scale; empty if the package reveals the label alone. */
  logits: number[];
  /** The logits as the model gives them. */
  scores: number[];
  /** Values of the picture that were cut to the range that the network was calibrated for. */
  saturated: number;
  /** What was prepared for this picture, and what it took once the picture was there. */
  offline: Phase;
  online: Phase;
  /** During this call: with `offline` if nothing was prepared. */
  bytes: Ways;
  messages: Ways;
  milliseconds: number;
}

export interface ConnectOptions {
  /** The client's package, or its address. */
  package: ArrayBuffer | ArrayBufferView | string | URL;
  /** Gets what went over the connection, some times a second. */
  onTraffic?: (frames: Frame[]) => void;
  /** Longest wait for the server, in milliseconds (60000). */
  deadline?: number;
  /** Longest wait for the connection, in milliseconds (10000). */
  wait?: number;
}

export interface Pixels {
  data: Uint8ClampedArray | Uint8Array;
  width: number;
  height: number;
}

export class AutoPrivacy {
  private constructor();
  /**
   * Loads the program and the package, opens the connection and greets the server.
   * @param url  wss://host:port, or relative to the page
   * @throws AutoPrivacyError 'security' if the package's parameters are below 128 bits, 'peer' if the server refuses
   */
  static connect(url: string | URL, options: ConnectOptions): Promise<AutoPrivacy>;
  readonly network: Network;
  /** Does what needs no picture for the next `count` pictures; resolves to how many are prepared. */
  prepare(count?: number): Promise<number>;
  /** One picture after another; calls that overlap wait for each other. */
  classify(image: ImageData | Pixels): Promise<Answer>;
  /** Says goodbye and ends the workers. */
  close(): Promise<void>;
}
