/** What a publisher sets in the encoder, in the words that it finds there: said with each refusal, so few bytes. */

export const keyframeAdvice =
  'set the keyframe interval to 2 s (OBS: Settings, Output, mode Advanced; ffmpeg: -g, twice the frame rate)';
/** Of H.264 and HEVC alike. */
export const colourFormatAdvice = 'OBS: Settings, Advanced, Color Format NV12; ffmpeg: -pix_fmt yuv420p';
export const colourSpaceAdvice = 'send SDR, BT.709 (OBS: Settings, Advanced, Color Space Rec. 709)';
export const frameRateAdvice = 'OBS: Settings, Video, Common FPS Values; ffmpeg: -r';
