// A log-in has ended: what was open, and what could be undone, is not for the next person. It begins at home.

import { watch } from 'vue';

import type { Hongyan } from '@/app/hongyan';
import { go } from '@/app/router';

import { question } from './base/confirm';
import { closeMenu } from './base/menu';
import { forgetPictures } from './base/pictures';
import { drop } from './base/toasts';
import { making } from './details/making';
import { details } from './details/open';
import { finding, showingKeys } from './goto/open';
import { leaving } from './list/acts';
import { usePicking } from './message/picking';
import { card } from './people/card';
import { settingStatus } from './settings/open';

function closeAll(): void {
  drop();
  question.value?.answer(false);
  closeMenu();
  details.value = finding.value = showingKeys.value = settingStatus.value = false;
  making.value = card.value = usePicking().value = null;
  leaving.value = new Set();
  void forgetPictures().catch(() => {});
  go({ page: 'home' }, 'replace');
}

/** At once, before anybody else can be here. */
export const parting = ({ session }: Pick<Hongyan, 'session'>): (() => void) =>
  watch(
    () => session.value?.token,
    (_, before) => before !== undefined && closeAll(),
    { flush: 'sync' },
  );
