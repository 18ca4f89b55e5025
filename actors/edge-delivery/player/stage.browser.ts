/** The elements of the player: the video, what covers it, and the controls. */
import 'media-chrome/dist/media-controller.js';
import 'media-chrome/dist/media-fullscreen-button.js';
import 'media-chrome/dist/media-mute-button.js';
import 'media-chrome/dist/media-pip-button.js';
import 'media-chrome/dist/media-play-button.js';
import 'media-chrome/dist/media-time-range.js';
import 'media-chrome/dist/media-volume-range.js';
import { icons } from '../viewing/icons.ts';

const bars = '<i></i>'.repeat(24);

const content = `
  <media-controller nohotkeys noautoseektolive defaultstreamtype="live" nosubtitleslangpref fullscreenelement="stage">
    <video slot="media" playsinline crossorigin></video>
    <div class="top-bar" slot="top-chrome"><a class="title" target="_blank" rel="noopener"></a><span class="badge state"></span></div>
    <div class="cover" noautohide>
      <img class="poster" alt="" hidden />
      <div class="sound"><div class="wave" aria-hidden="true">${bars}</div><span>Sound only</span></div>
      <div class="words">
        <div class="icon"></div>
        <div role="status"><strong class="headline"></strong><span class="detail"></span></div>
        <div class="spinner" hidden></div>
        <button class="action" type="button" hidden></button>
      </div>
    </div>
    <div class="hints" noautohide>
      <span class="away chip" hidden>The broadcaster is away for the moment</span>
      <span class="oldest chip" role="status" hidden>That moment is no longer kept. This is the oldest that is.</span>
      <span class="unheard chip" role="status" hidden></span>
      <button class="unmute chip" type="button" hidden>Tap for sound</button>
      <button class="on-air chip" type="button" hidden>On air again: watch live</button>
    </div>
    <dl class="stats" noautohide hidden></dl>
    <div class="bar">
      <media-time-range><span slot="preview" class="preview"></span></media-time-range>
      <div class="buttons">
        <media-play-button notooltip></media-play-button>
        <media-mute-button notooltip></media-mute-button>
        <media-volume-range></media-volume-range>
        <button class="live" type="button"><i></i>LIVE</button>
        <span class="time"></span>
        <span class="gap"></span>
        <button class="gear" type="button" aria-label="Settings" aria-expanded="false" aria-controls="settings">${icons.settings}</button>
        <media-pip-button notooltip></media-pip-button>
        <media-fullscreen-button notooltip></media-fullscreen-button>
      </div>
    </div>
    <div class="settings" id="settings" role="group" aria-label="Settings" noautohide hidden>
      <label class="row-quality" hidden>Quality <select class="quality"><option value="auto">Auto</option></select></label>
      <label class="row-captions" hidden>Captions <select class="captions"><option value="off">Off</option></select></label>
      <label>Format <select class="format"><option value="dash">DASH</option><option value="hls">HLS</option></select></label>
    </div>
  </media-controller>`;

export type Stage = ReturnType<typeof buildStage>;

export function buildStage(stage: Element | null) {
  if (!(stage instanceof HTMLElement)) throw new Error('the page has no #stage');
  stage.insertAdjacentHTML('beforeend', content);
  stage.querySelector('.shell')?.remove();
  const find = <T extends Element>(selector: string, kind: new () => T): T => {
    const element = stage.querySelector(selector);
    if (!(element instanceof kind)) throw new Error(`the player has no ${selector}`);
    return element;
  };
  return {
    stage,
    titleLink: find('.top-bar a', HTMLAnchorElement),
    video: find('video', HTMLVideoElement),
    poster: find('.poster', HTMLImageElement),
    icon: find('.icon', HTMLElement),
    headline: find('.headline', HTMLElement),
    detail: find('.detail', HTMLElement),
    spinner: find('.spinner', HTMLElement),
    action: find('.action', HTMLButtonElement),
    away: find('.away', HTMLElement),
    oldest: find('.oldest', HTMLElement),
    unheard: find('.unheard', HTMLElement),
    unmute: find('.unmute', HTMLButtonElement),
    onAir: find('.on-air', HTMLButtonElement),
    stats: find('.stats', HTMLElement),
    range: find('media-time-range', HTMLElement),
    preview: find('.preview', HTMLElement),
    live: find('.live', HTMLButtonElement),
    time: find('.time', HTMLElement),
    gear: find('.gear', HTMLButtonElement),
    fullscreen: find('media-fullscreen-button', HTMLElement),
    settings: find('.settings', HTMLElement),
    quality: find('.quality', HTMLSelectElement),
    auto: find('.quality option', HTMLOptionElement),
    qualityRow: find('.row-quality', HTMLElement),
    captions: find('.captions', HTMLSelectElement),
    captionsRow: find('.row-captions', HTMLElement),
    format: find('.format', HTMLSelectElement),
  };
}
