// UUIDv7: ids that grow with time cost the server least.

let lastTime = 0;
let counter = 0;

export function uuid7(now = Date.now()): string {
  counter = now > lastTime ? 0 : counter + 1;
  if (counter > 0xfff) {
    counter = 0;
    lastTime += 1;
  }
  lastTime = Math.max(now, lastTime);
  const random = crypto.getRandomValues(new Uint8Array(8));
  random[0] = 0x80 | ((random[0] ?? 0) & 0x3f);
  const hex = [...random].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const time = lastTime.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${counter.toString(16).padStart(3, '0')}-${hex.slice(0, 4)}-${hex.slice(4)}`;
}
