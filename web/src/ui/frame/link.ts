// The connection in words, and the menu to choose how it is made.

import { RefreshCw } from '@lucide/vue';

import type { Hongyan, LinkView, Transport } from '@/app/hongyan';
import type { MenuEntry } from '@/ui/base/menu';
import { t } from '@/words';

const transports: readonly Transport[] = ['ws', 'sse', 'long', 'short'];

/** What is the matter, when something is: `good` needs no words. */
export function stateOf(link: LinkView): 'good' | 'trying' | 'bad' {
  if (link.phase === 'open') return 'good';
  return !link.online || link.phase === 'waiting' || link.phase === 'stopped' ? 'bad' : 'trying';
}

export function linkWords(link: LinkView): string {
  const state = stateOf(link);
  const how = link.shared ? t('link.shared') : t(`link.${link.transport}`);
  return `${how} · ${t(`link.is_${link.online ? state : 'offline'}`)}`;
}

export function linkMenu({ link, force, retryNow }: Hongyan): MenuEntry[] {
  const { forced } = link.value;
  const choice = (transport: Transport | null): MenuEntry => ({
    label: t(transport ? `link.${transport}` : 'link.auto'),
    checked: forced === transport,
    act: () => force(transport),
  });
  return [
    { heading: linkWords(link.value) },
    choice(null),
    ...transports.map(choice),
    ...(stateOf(link.value) === 'bad' ? [null, { label: t('link.retry'), icon: RefreshCw, act: retryNow }] : []),
  ];
}
