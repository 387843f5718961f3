// The menu of one's own avatar.

import { CircleDot, Keyboard, LogOut, Settings, Smile } from '@lucide/vue';

import type { Hongyan } from '@/app/hongyan';
import { go } from '@/app/router';
import type { Presence } from '@/core/model';
import { confirm } from '@/ui/base/confirm';
import type { MenuEntry } from '@/ui/base/menu';
import { finish, useToasts } from '@/ui/base/toasts';
import { showingKeys } from '@/ui/goto/open';
import { settingStatus } from '@/ui/settings/open';
import { t } from '@/words';

/** What one had done and could still take back is told first, but nobody waits long for it. */
const PATIENCE = 2_000;

const states: readonly Presence[] = ['online', 'away', 'busy', 'dnd'];

export async function leaveHere(hongyan: Hongyan): Promise<void> {
  const waiting = hongyan.outgoing.value.length;
  const text = waiting ? t('me.logout_waiting', { n: waiting }) : t('me.logout_text');
  if (await confirm({ title: t('me.logout_title'), text, act: t('me.logout'), danger: waiting > 0 })) {
    const toasts = useToasts();
    await Promise.race([finish(), new Promise((late) => setTimeout(late, PATIENCE))]);
    await toasts.attempt(async () => (await hongyan.logout()) || toasts.say(t('me.logout_later')));
  }
}

export function meMenu(hongyan: Hongyan): MenuEntry[] {
  const { api, known } = hongyan;
  const me = known.value.me;
  const now = me ? known.value.presence.get(me.id)?.status : undefined;
  return [
    { heading: me?.name ?? '' },
    { label: t('me.status'), icon: Smile, act: () => (settingStatus.value = true) },
    {
      label: t('me.presence'),
      icon: CircleDot,
      items: states.map((status) => ({
        label: t(`presence.${status}`),
        checked: now === status,
        act: () => useToasts().attempt(() => api.put('v1/presence', { status })),
      })),
    },
    null,
    { label: t('frame.settings'), icon: Settings, keys: 'Ctrl+,', act: () => go({ page: 'settings' }) },
    { label: t('keys.title'), icon: Keyboard, keys: '?', act: () => (showingKeys.value = true) },
    null,
    { label: t('me.logout'), icon: LogOut, act: () => leaveHere(hongyan) },
  ];
}
