// The page's beginning.

import './styles/tokens.css';
import './styles/base.css';

import { createApp } from 'vue';

import { badge } from '@/app/badge';
import { hongyanKey } from '@/app/hongyan';
import { notifying } from '@/app/notifying';
import { pushing } from '@/app/push';
import { route } from '@/app/router';
import { dress } from '@/app/settings';
import { createHongyan } from '@/app/store';
import { beginWorker } from '@/app/worker';
import App from '@/ui/App.vue';
import { parting } from '@/ui/parting';
import { t, words } from '@/words';

import { api, asked, cache, place } from './early';

dress();
const hongyan = createHongyan({ api, asked, cache, place });
parting(hongyan);
void words().then(() => createApp(App).provide(hongyanKey, hongyan).mount('#app'));
notifying(hongyan, route, t);
badge(hongyan.known, document.querySelector('link[rel=icon]'));
beginWorker();
pushing(hongyan);
