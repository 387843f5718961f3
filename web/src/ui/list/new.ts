// What one can begin: a conversation, a group, a channel.

import { Hash, Search, UserRound, UsersRound } from '@lucide/vue';

import { go } from '@/app/router';
import type { MenuEntry } from '@/ui/base/menu';
import { making } from '@/ui/details/making';
import { finding } from '@/ui/goto/open';
import { t } from '@/words';

export const newMenu = (): MenuEntry[] => [
  { label: t('new.direct'), icon: UserRound, keys: 'Ctrl+K', act: () => (finding.value = true) },
  { label: t('new.group'), icon: UsersRound, act: () => (making.value = 'group') },
  { label: t('new.channel'), icon: Hash, act: () => (making.value = 'channel') },
  null,
  { label: t('new.find_channel'), icon: Search, act: () => go({ page: 'channels' }) },
];
