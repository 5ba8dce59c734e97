/** Which candidates are shown, as the address of the view `clips` says it.
 *
 * `#clips?verdict=rejected&stage=sync&reason=other_speaks` are rows with this text in a column;
 * `min.quality.sharpness=20` and `max.quality.sharpness=50` rows whose number is in a range (of rows
 * without one: none); `q=word` rows with a word in the name of clip, video, title or uploader;
 * `sort=quality.sharpness`, or `sort=-quality.sharpness` from the largest down. Columns of the video,
 * such as `video.source`, can be asked for, too. Several values of one column are alternatives.
 */
export {};
