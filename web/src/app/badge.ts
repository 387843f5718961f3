// How many messages wait, where one sees it from another tab or program: title, icon of the tab, icon of the dock.

import { type Ref, watch } from 'vue';

import type { Known } from '@/core/model';
import { attention } from '@/core/order';

const NAME = '鸿雁';
const SIZE = 32;

export const counted = (count: number): string => (count > 99 ? '99+' : String(count));

export function badge(known: Readonly<Ref<Known>>, icon: HTMLLinkElement | null): () => void {
  const plain = icon?.href ?? '';
  const count = (): number => {
    const { unread, mentioned } = attention(known.value, Date.now());
    return Math.max(unread, mentioned);
  };
  return watch(
    count,
    (number) => {
      document.title = number ? `(${counted(number)}) ${NAME}` : NAME;
      if (icon) void paint(icon, plain, number);
      if (!('setAppBadge' in navigator)) return;
      (number ? navigator.setAppBadge(number) : navigator.clearAppBadge()).catch(() => {});
    },
    { immediate: true },
  );
}

let turn = 0;

async function paint(icon: HTMLLinkElement, plain: string, number: number): Promise<void> {
  const mine = (turn += 1);
  const drawn = number ? await drawing(plain, counted(number)).catch(() => null) : null;
  if (mine !== turn) return;
  icon.type = drawn ? 'image/png' : 'image/svg+xml';
  icon.href = drawn ?? plain;
}

async function drawing(plain: string, text: string): Promise<string | null> {
  const image = new Image(SIZE, SIZE);
  image.src = plain;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = SIZE;
  const brush = canvas.getContext('2d');
  if (!brush) return null;
  const style = getComputedStyle(document.documentElement);
  const width = text.length > 1 ? 26 : 20;
  brush.drawImage(image, 0, 0, SIZE, SIZE);
  brush.fillStyle = style.getPropertyValue('--attention');
  brush.beginPath();
  brush.roundRect(SIZE - width, SIZE - 20, width, 20, 10);
  brush.fill();
  brush.fillStyle = style.getPropertyValue('--attention-ink');
  brush.font = `600 ${text.length > 2 ? 12 : 15}px system-ui, sans-serif`;
  brush.textAlign = 'center';
  brush.textBaseline = 'middle';
  brush.fillText(text, SIZE - width / 2, SIZE - 9.5);
  return canvas.toDataURL('image/png');
}
