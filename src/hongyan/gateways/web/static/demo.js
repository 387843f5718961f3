// The page's beginning: one App, the screen that fits it, the choices a person keeps.

import { App } from './app.js';
import { announce, toast } from './dom.js';
import { loginScreen } from './view-login.js';
import { mainScreen } from './view-main.js';
import { getLanguage, languages, preferred, setLanguage, t } from './words.js';

const themes = ['system', 'light', 'dark'];
const read = (key, allowed, otherwise) => (allowed.includes(localStorage.getItem(key)) ? localStorage.getItem(key) : otherwise);

const choices = {
  theme: read('hongyan.theme', themes, 'system'),
  nextTheme() {
    this.theme = themes[(themes.indexOf(this.theme) + 1) % themes.length];
    localStorage.setItem('hongyan.theme', this.theme);
    this.show();
  },
  nextLanguage() {
    const next = languages.find((language) => language !== getLanguage());
    localStorage.setItem('hongyan.language', next);
    setLanguage(next);
    screen = null;
    app.changed();
  },
  show() {
    if (this.theme === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = this.theme;
    app.changed();
  },
};

let screen = null;
const place = document.getElementById('app');

const app = new App({
  render() {
    const kind = app.session ? mainScreen : loginScreen;
    if (screen?.kind !== kind) {
      screen = { kind, ...kind(app, choices) };
      place.replaceChildren(screen.node);
      screen.shown?.();
    }
    screen.render();
    document.title = app.session && app.unread ? `(${app.unread}) ${t('name')}` : t('name');
  },
  say: (key, values) => toast(t(key, values)),
  announce: (id, text) => announce(t('said', { who: app.nameOf(id), text })),
});

setLanguage(read('hongyan.language', languages, preferred()));
choices.show();
addEventListener('hashchange', () => app.session && app.ready && app.showHash());
app.resume();
