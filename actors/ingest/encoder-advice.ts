/**
 * Tells a publisher what to set in the encoder, in the encoder's own words. Each refusal carries one of these, so they
 * are short.
 */

export const keyframeAdvice =
  'set the keyframe interval to 2 s (OBS: Settings, Output, mode Advanced; ffmpeg: -g, twice the frame rate)';
/** For H.264 and HEVC alike. */
export const colourFormatAdvice = 'OBS: Settings, Advanced, Color Format NV12; ffmpeg: -pix_fmt yuv420p';
export const colourSpaceAdvice = 'send SDR, BT.709 (OBS: Settings, Advanced, Color Space Rec. 709)';
export const progressiveAdvice = 'send progressive video (deinterlace it before: ffmpeg: -vf bwdif)';
export const frameRateAdvice = 'OBS: Settings, Video, Common FPS Values; ffmpeg: -r';
export const closedGopAdvice =
  'send closed GOPs of 2 s, each with an IDR (x264: open-gop=0; ffmpeg: -flags +cgop)';
export const intraRefreshAdvice = 'turn intra refresh off and send IDRs each 2 s (x264: intra-refresh=0)';
export const headerAdvice = 'send it first (avcC, hvcC or av1C, as OBS and ffmpeg do)';
export const audioHeaderAdvice = 'send the AudioSpecificConfig first (AF 00 ...), as OBS and ffmpeg do';
export const audioLayoutAdvice =
  'send stereo or plain 5.1 (ffmpeg: -ac 2, or -af aformat=channel_layouts=5.1; OBS: Settings, Audio, Channels)';
